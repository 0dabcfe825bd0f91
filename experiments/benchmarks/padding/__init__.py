"""`python -m experiments.benchmarks.padding`: every mode compared with zeros."""
