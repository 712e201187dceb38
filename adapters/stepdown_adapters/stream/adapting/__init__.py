"""Streams stepped down event by event: the `stream:` section of an adapter, compiled, and run as bytes arrive."""
