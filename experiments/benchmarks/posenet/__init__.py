"""`python -m experiments.benchmarks.posenet`: the reader compared with its published figures."""
