"""Where data comes from: one entry a source, each with the same three functions."""

from collections.abc import Callable
from typing import NamedTuple

from data import built, catalogue, image_folder, npz, store
from data.config import DataConfig
from data.types import Stored


class Source(NamedTuple):
    """prepare: make the data ready, or DataError. fingerprint: None while it is not ready.

    read: what the set holds; its examples are read when they are asked for, piece by piece.
    """

    prepare: Callable[[DataConfig], None]
    fingerprint: Callable[[DataConfig], str | None]
    read: Callable[[DataConfig], Stored]


SOURCES: dict[str, Source] = {
    "built": Source(built.prepare, built.fingerprint, built.read),
    "tfds": Source(catalogue.prepare, store.fingerprint, store.read),
    "npz": Source(npz.prepare, npz.fingerprint, npz.read),
    "image_folder": Source(image_folder.prepare, image_folder.fingerprint, image_folder.read),
}


def ensure(cfg: DataConfig) -> None:
    """Make the data ready to be read, once; later calls return at once.

    A built set is generated into `data.data_dir` (a few seconds). A TFDS set is downloaded
    only with `data.download=true`. For the user's own file or folder there is
    nothing to do but find it.

    Raises:
        DataError: a setting is wrong, or the data is not there; one plain line.
    """
    cfg.validate()
    SOURCES[cfg.source].prepare(cfg)


def fingerprint(cfg: DataConfig) -> str | None:
    """The identity of the data, without loading it; None while it is not prepared.

    Built and TFDS sets: `name/version+hash`, where the hash covers the prepared copy's
    description, and for a built set a digest of its content. The user's own: `name+hash` of the
    bytes. Settings such as `resize` or `examples` are not in it.
    """
    cfg.validate()
    return SOURCES[cfg.source].fingerprint(cfg)


def read(cfg: DataConfig) -> Stored:
    """The data as stored; no example is read yet."""
    return SOURCES[cfg.source].read(cfg)
