"""Measurements of a trained network, one a file. Each has a known answer, which its test checks.

`conf.probes.NAMES` says what there is without loading a framework, `registry.find` has the
functions, `running` puts them to a finished run.
"""
