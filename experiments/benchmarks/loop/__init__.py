"""`python -m experiments.benchmarks.loop`: the training loop compared with others."""
