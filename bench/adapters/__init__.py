"""What adapters cost: ratios to work written by hand and to mere decoding, in one process on one core."""
