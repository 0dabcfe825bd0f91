"""Which input pixels reach which outputs, and by how many paths."""
