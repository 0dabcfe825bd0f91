"""The sources of data: one module per source, each with the same functions.

`prepare(cfg)` makes the data ready, or raises DataError. `fingerprint(cfg)` returns None while it
is not ready. `read(cfg)` returns the content of the set; examples are read piece by piece when
they are needed.
"""

import importlib
from typing import Any

from data.config import DataConfig
from data.types import Stored

MODULES = {"built": "built", "tfds": "catalogue", "npz": "npz", "image_folder": "image_folder"}


def module(source: str) -> Any:
    """Import the module of a source."""
    return importlib.import_module(f"data.sources.{MODULES[source]}")


def ensure(cfg: DataConfig) -> None:
    """Prepare the data for reading; does nothing if it is ready.

    A generated set is written to `data.data_dir` (a few seconds). A TFDS set is downloaded
    only with `data.download=true`. The user's own file or folder only has to exist.

    Raises:
        DataError: a setting is wrong, or the data is missing; one plain line.
    """
    cfg.validate()
    module(cfg.source).prepare(cfg)


def fingerprint(cfg: DataConfig) -> str | None:
    """The identity of the data, without loading it; None while it is not prepared.

    Generated sets: `name/version+hash` with a hash of the content. TFDS sets: the same with a hash
    of the prepared copy's description. The user's own data: `name+hash` of the bytes. Settings
    such as `resize` or `examples` are not included.
    """
    cfg.validate()
    found: str | None = module(cfg.source).fingerprint(cfg)
    return found


def examples(cfg: DataConfig) -> dict[str, int]:
    """The number of examples in each split of a prepared set: train, test, perhaps validation.

    A source that knows the numbers from a description has a function of this name; for the others
    the shapes of the arrays are used.
    """
    if own := getattr(module(cfg.source), "examples", None):
        found: dict[str, int] = own(cfg)
        return found
    return {name: split.shape[0] or 0 for name, split in read(cfg).splits.items()}


def read(cfg: DataConfig) -> Stored:
    """The data as stored; no example is read yet."""
    stored: Stored = module(cfg.source).read(cfg)
    return stored
