"""The commands of the `stepdown` console script, one module each."""
