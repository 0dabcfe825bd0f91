"""One training: how it starts, its data and network, the loop, its measurement and its record."""
