"""`python -m experiments.report.why`: what the probes found in a study's networks."""
