"""Proofs about contracts and adapters: what can be decided without running anything."""
