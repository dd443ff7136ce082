"""How fast calls are, beside the floor of the same run: `make bench`."""
