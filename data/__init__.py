"""Data for padzoo: the data sets, their splits, normalisation and the order of an epoch."""

import importlib
from typing import TYPE_CHECKING, Any

from data.config import AugmentConfig, DataConfig, DataError
from data.types import Data, Spec, Split

if TYPE_CHECKING:
    from data.loading import load
    from data.sources import ensure, fingerprint

__all__ = [
    "AugmentConfig",
    "Data",
    "DataConfig",
    "DataError",
    "Spec",
    "Split",
    "ensure",
    "fingerprint",
    "load",
]

# Imported at first use, because they need NumPy; the help page and shell completion do not.
_LATER = {"load": "data.loading", "fingerprint": "data.sources", "ensure": "data.sources"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'data' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
