"""`python -m experiments.benchmarks.loop`: the training loop beside its peers."""
