"""What the probes share: what they look at, how they run, what they record."""
