"""What is meant to exist, and who does it: the plan, the jobs of a sweep, their launch."""
