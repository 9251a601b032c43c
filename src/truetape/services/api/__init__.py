"""The api room: what is stored, answered to whoever asks."""
