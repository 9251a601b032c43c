"""Nine rooms. They speak by messages and by the store, never by call."""
