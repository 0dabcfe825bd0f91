"""`python -m experiments.benchmarks.gpu`: measurements on a GPU, in sections, within minutes."""
