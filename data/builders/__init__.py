"""TFDS builders of the sets that the project generates, one module per set.

Each module has the name of its set and defines `VERSION` and `Builder`. A change of the generated
content needs a new version and a release note there.
"""

from __future__ import annotations

import functools
from pathlib import Path

from models.registry import constants


@functools.cache
def versions() -> dict[str, str]:
    """The sets by name, with the version that the current code generates; imports no builder."""
    return constants(Path(__file__).parent, "VERSION")
