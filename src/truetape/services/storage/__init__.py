"""Keep what was graded: both times, every version, nothing twice."""
