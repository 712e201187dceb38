"""Contracts, adapter operations and compiled chains: a library without network code, usable alone."""
