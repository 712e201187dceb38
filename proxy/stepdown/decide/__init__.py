"""Pure decisions: which route, which shape, which version, and why."""
