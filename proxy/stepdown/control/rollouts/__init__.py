"""The canary loop: evidence goes into the store, whoever has the lease decides, and everybody does what was decided."""
