"""Truetape: a self-hosted market data platform."""
