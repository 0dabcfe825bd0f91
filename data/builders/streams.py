"""Random generators by name: what one purpose draws moves no draw of another."""

import zlib

import numpy as np


def stream(*names: str) -> np.random.Generator:
    """A separate random generator for each purpose, the same on every machine."""
    return np.random.default_rng([zlib.crc32(name.encode()) for name in names])
