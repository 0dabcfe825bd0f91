"""Measurements of a trained network, one a file. Each has a known answer, which its test checks.

A probe is a file that sets `MEASURES`, a line for the help page, and has
`probe(subject: Subject) -> Measured`. `conf.probes.NAMES` says what there is without loading a
framework; `shared.running` finds the probes by name and puts them to a finished run.
"""
