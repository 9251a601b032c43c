"""Check claims against the rules of the trade and against each other, and decide."""
