"""Quality, measured: faults of known kinds are put into real price series, and detectors must find them blind."""
