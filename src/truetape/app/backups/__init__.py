"""Backups of a data folder: made while the platform runs, verified, restored as known at any time, pruned."""
