"""`python -m experiments.report.kept`: writes kept reports anew, without their runs."""
