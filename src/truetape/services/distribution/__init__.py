"""Hand out what was decided: the latest bar of each instrument, and every change to whoever listens."""
