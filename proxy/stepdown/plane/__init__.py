"""The data path's I/O: listener, one exchange's life, upstream pools, adaptation, drain."""
