"""`python -m experiments.benchmarks.gpu`: what a GPU gives, section by section, within minutes."""
