"""The modes: one file each, found by looking into this folder.

`MODES` has them by name, which is that of the file: the default first, then kind by kind.
`definitions` says what the object in such a file tells, docs/extending.md how to add one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..checks import Registry, objects_in
from ..definitions import KINDS, Mode, PlaneRule

ZEROS = "zeros"


def _in_order(found: Registry[Mode]) -> Registry[Mode]:
    def place(name: str) -> tuple[bool, int, str]:
        kinds = [isinstance(found[name], kind) for kind in KINDS]
        return name != ZEROS, kinds.index(True), name

    return Registry({name: found[name] for name in sorted(found, key=place)}, found.broken)


MODES = _in_order(objects_in(__name__, __path__, "MODE", KINDS))
# Those that can differ between the axes of a feature map.
AXIS_MODES = tuple(name for name, mode in MODES.items() if mode.by_axis)
# Those that `causal` takes.
CAUSAL_MODES = tuple(name for name, mode in MODES.items() if not mode.looks_ahead)


def plane_of(modes: Sequence[str]) -> str | None:
    """Return the mode that pads both axes of an image together, if one of a padding's does."""
    return next((mode for mode in modes if isinstance(MODES[mode], PlaneRule)), None)
