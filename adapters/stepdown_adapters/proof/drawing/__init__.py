"""Draws documents of a contract, for what inclusion cannot decide and to check what it decides."""
