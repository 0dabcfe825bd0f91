"""The smallest input a network survives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from models.pad import CollapseError


def smallest_size(make: Callable[[int], object], largest: int) -> int | None:
    """Return the smallest size for which `make` raises no CollapseError, or None.

    Doubles, then bisects: a network that survives a size survives every larger one. The states
    of Python's and NumPy's random generators are put back afterwards.

    Args:
        make: builds the network for a size.
        largest: where to stop.
    """
    with random_state_kept():
        works = 1
        while not _survives(make, works):
            if works >= largest:
                return None
            works = min(2 * works, largest)
        fails = works // 2
        while works - fails > 1:
            middle = (works + fails) // 2
            if _survives(make, middle):
                works = middle
            else:
                fails = middle
    return works


def _survives(make: Callable[[int], object], size: int) -> bool:
    try:
        make(size)
    except CollapseError:
        return False
    return True


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Initialisers draw their seeds from Python's generator: put it back."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
