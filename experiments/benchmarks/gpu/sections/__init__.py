"""The sections of the GPU measurements: one file each, found by its name, `gpu_<section>.py`.

A section's module has

    PLACE     position in the order of importance; None: runs only if it is named
    TITLE     of its page
    ASKS      what it measures, in a sentence
    GOAL      the target; "" if there is none
    SECONDS   its `Cost`
    measure   (setting) -> None: measures into `setting.record`, row by row

and imports no framework before `measure` is called.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

PREFIX = "gpu_"


def names() -> list[str]:
    """All sections: first those in order of importance, then those that must be named."""
    found = {name: section(name).PLACE for name in _stems()}
    return sorted(found, key=lambda name: (found[name] is None, found[name] or 0, name))


def by_worth() -> list[str]:
    """The sections that run if none is named, the most important first."""
    return [name for name in names() if section(name).PLACE is not None]


def section(name: str) -> Any:
    """The module of a section."""
    return importlib.import_module(f"{__name__}.{PREFIX}{name.replace('-', '_')}")


def _stems() -> list[str]:
    files = Path(__file__).parent.glob(f"{PREFIX}*.py")
    return [file.stem.removeprefix(PREFIX).replace("_", "-") for file in files]
