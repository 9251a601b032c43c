"""Ask providers, archive what they send before anything reads it, and tell the others."""
