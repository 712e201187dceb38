"""Streams through a running sidecar: what an event costs, how late it is, and when the first one comes."""
