"""What shadows cost whoever asks: latency beside them, whatever they do. Start it with `make bench-shadows`."""
