"""Compute index levels that a portfolio can be measured against."""
