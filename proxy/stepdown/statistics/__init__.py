"""Statistics that may be looked at at any time: e-processes, intervals, distances of distributions. Pure."""
