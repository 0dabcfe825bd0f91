"""`python -m experiments.benchmarks.posenet`: the read-out beside its published figures."""
