"""What a contract is, where it is read from, and how it is looked at."""
