"""A digest of a builder's output, stored with the set as part of its identity."""

import hashlib
from collections.abc import Mapping

import numpy as np


def content_digest(splits: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    """SHA-256 over the names, types, shapes and values of every column of every split."""
    digest = hashlib.sha256()
    for split, columns in splits.items():
        for name, column in columns.items():
            little = np.ascontiguousarray(column, column.dtype.newbyteorder("<"))
            digest.update(f"{split}/{name}/{little.dtype.str}/{little.shape}".encode())
            digest.update(little.tobytes())
    return digest.hexdigest()
