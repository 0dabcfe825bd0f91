"""Measurements of a trained network, one per file. Each has a known answer, which its test checks.

A probe is a file that sets `MEASURES`, a line for the help page, and has
`probe(subject: Subject) -> Measured`. `conf.choices.PROBES` lists them without loading a framework;
`shared.running` finds the probes by name and applies them to a finished run.
"""
