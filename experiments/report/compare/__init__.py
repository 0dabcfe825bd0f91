"""Reads the runs of a study, groups their cells into families, and compares with a baseline."""
