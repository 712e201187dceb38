"""What differs between two contracts, and what follows from it."""
