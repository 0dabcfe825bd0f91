"""The configuration: YAML groups for Hydra, and the typed config that the code sees."""

from conf import packages

packages.tell_missing()  # here: every program of the project imports this first
