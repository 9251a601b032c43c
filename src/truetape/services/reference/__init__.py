"""Know which instruments exist, where they are listed since when, and when their venues trade."""
