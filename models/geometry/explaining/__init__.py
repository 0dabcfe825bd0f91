"""The arithmetic of one layer, by hand."""
