"""TFDS builders of the sets the project makes itself, one module a set.

Each module has the set's name, sets `VERSION` and offers `Builder`. A change in what is generated
is a new version and a release note there.
"""

from __future__ import annotations

import functools
from pathlib import Path

from models.registry import constants


@functools.cache
def versions() -> dict[str, str]:
    """The sets by name, with the version that today's code makes; no builder is imported."""
    return constants(Path(__file__).parent, "VERSION")
