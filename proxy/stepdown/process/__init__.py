"""Processes: the parent that holds the sockets, the children that it spawns, the channel between them."""
