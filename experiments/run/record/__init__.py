"""The record of a run: its directory, its provenance, its event files."""
