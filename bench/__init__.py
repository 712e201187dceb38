"""Stepdown beside other proxies: same upstream, same payload, one core for each in turn. Start it with `make bench`."""
