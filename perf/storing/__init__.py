"""How fast bars are written and read, how much room they take, and how peers do the same."""
