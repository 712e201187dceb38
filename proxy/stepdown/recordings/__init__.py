"""Recordings of live traffic: their format, what they hide, how they are written and read."""
