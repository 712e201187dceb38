"""Asks others for what a rollout is judged by: Prometheus, and webhooks.

Whatever goes wrong becomes an `Inconclusive` with its reason, or a `Measurement` with an error: never a pass, and never
an exception.
"""
