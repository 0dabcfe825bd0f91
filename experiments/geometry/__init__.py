"""`python -m experiments.geometry`: the geometry of a network as a table and a picture."""
