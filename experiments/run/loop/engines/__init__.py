"""The engines: an epoch as a few compiled programs, of which each makes many steps."""
