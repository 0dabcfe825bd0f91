"""Where data comes from: a module a source, each with the same functions.

`prepare(cfg)` makes the data ready, or raises DataError. `fingerprint(cfg)` is None while it is not
ready. `read(cfg)` is what the set holds; its examples are read when they are asked for, piece by
piece.
"""

import importlib
from typing import Any

from data.config import DataConfig
from data.types import Stored

MODULES = {"built": "built", "tfds": "catalogue", "npz": "npz", "image_folder": "image_folder"}


def module(source: str) -> Any:
    """The module of a source, imported now."""
    return importlib.import_module(f"data.sources.{MODULES[source]}")


def ensure(cfg: DataConfig) -> None:
    """Make the data ready to be read, once; later calls return at once.

    A built set is generated into `data.data_dir` (a few seconds). A TFDS set is downloaded
    only with `data.download=true`. For the user's own file or folder there is
    nothing to do but find it.

    Raises:
        DataError: a setting is wrong, or the data is not there; one plain line.
    """
    cfg.validate()
    module(cfg.source).prepare(cfg)


def fingerprint(cfg: DataConfig) -> str | None:
    """The identity of the data, without loading it; None while it is not prepared.

    Built and TFDS sets: `name/version+hash`, where the hash covers the prepared copy's
    description, and for a built set a digest of its content. The user's own: `name+hash` of the
    bytes. Settings such as `resize` or `examples` are not in it.
    """
    cfg.validate()
    found: str | None = module(cfg.source).fingerprint(cfg)
    return found


def examples(cfg: DataConfig) -> dict[str, int]:
    """How many examples the splits of a prepared set have: train, test, validation if it has one.

    A source that knows it from a description says so in a function of this name; the others look
    at the shapes of what they would read.
    """
    if own := getattr(module(cfg.source), "examples", None):
        found: dict[str, int] = own(cfg)
        return found
    return {name: split.shape[0] or 0 for name, split in read(cfg).splits.items()}


def read(cfg: DataConfig) -> Stored:
    """The data as stored; no example is read yet."""
    stored: Stored = module(cfg.source).read(cfg)
    return stored
