"""What pyproject.toml cannot say: every folder of models/ is a package of padzoo."""

from setuptools import find_packages, setup

FOLDERS = find_packages(include=["models", "models.*"])
setup(packages=[folder.replace("models", "padzoo", 1) for folder in FOLDERS])
