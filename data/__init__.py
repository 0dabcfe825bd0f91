"""Data for padzoo: which sets there are, how they are split, normalised and put in order."""

from data.config import AugmentConfig, DataConfig, DataError
from data.loading import load
from data.sources import fingerprint, prepare
from data.types import Data, Spec, Split

__all__ = [
    "AugmentConfig",
    "Data",
    "DataConfig",
    "DataError",
    "Spec",
    "Split",
    "fingerprint",
    "load",
    "prepare",
]
