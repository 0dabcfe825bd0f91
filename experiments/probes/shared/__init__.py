"""Shared by the probes: their examples, how they run, what they record."""
