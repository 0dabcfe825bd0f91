"""Measurements of a trained network, one a file. Each has a known answer, which its test checks.

`names.NAMES` says what there is without loading a framework; `registry.PROBES` has the functions.
"""
