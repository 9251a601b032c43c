"""What the rooms need of the world, one page each."""
