"""Comparing answers: what differs between two of them, and what many such pairs say. Pure."""
