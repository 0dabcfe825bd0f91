"""The probes by name. Each is a module of this package with a function `probe`."""

from __future__ import annotations

import importlib

from conf.probes import NAMES
from conf.reader import unknown
from experiments.probes.subject import Probe


def find(name: str) -> Probe:
    """The probe of this name, whose module is imported now.

    Raises:
        ConfigError: if there is none.
    """
    if name not in NAMES:
        raise unknown("probe", name, NAMES)
    probe: Probe = importlib.import_module(f"experiments.probes.{name}").probe
    return probe
