"""The configuration: YAML groups for Hydra, and the typed config that the code sees."""
