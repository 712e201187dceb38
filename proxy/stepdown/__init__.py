"""Stepdown: a request-routing sidecar in front of unmodified model servers."""

__version__ = "0.1.0"
