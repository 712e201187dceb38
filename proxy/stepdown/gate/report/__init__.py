"""A verdict written down for machines, for code scanning, and for a pull request."""
