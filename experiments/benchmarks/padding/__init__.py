"""`python -m experiments.benchmarks.padding`: every mode beside zeros."""
