"""What is known about a data set before it is prepared: shape of an example, number of classes."""

from __future__ import annotations

import importlib
import math
import tempfile
from dataclasses import dataclass
from typing import Any

from data import loading, sources
from data.config import DataConfig, DataError, one_of
from data.sources import built, features
from data.types import Stored


@dataclass(frozen=True)
class Shape:
    """What is needed to build a network for the data.

    Attributes:
        input_shape: (height, width, channels) or (time, channels).
        num_classes: number of classes, or of channels of a target picture.
        scored_steps: number of steps at the end of a sequence that have a label each; None if
            each example has one label.
    """

    input_shape: tuple[int | None, ...]
    num_classes: int
    scored_steps: int | None = None


def shape(cfg: DataConfig) -> Shape:
    """The shape of a network's input; no data is generated, downloaded or read.

    For a set of the project or the catalogue, the builder knows it; for the user's own data, the
    headers of the files are read.

    Returns:
        Sizes are None if images differ in size and `data.resize` is not set.

    Raises:
        DataError: a setting is wrong, or the user's file is missing.
    """
    cfg.validate()
    if cfg.source in ("npz", "image_folder"):
        sources.ensure(cfg)
    prepared = sources.fingerprint(cfg) is not None
    found = _of_stored(loading.describe(cfg)) if prepared else _of_builder(cfg)
    return _as_asked(cfg, found)


def _of_stored(stored: Stored) -> Shape:
    sizes = stored.splits["train"].shape[1:]
    given = len(stored.class_names) or stored.channels or sizes[-1] or 1
    return Shape(sizes, given, stored.scored_steps)


def _of_builder(cfg: DataConfig) -> Shape:
    with tempfile.TemporaryDirectory() as nowhere:
        info = _builder(cfg, nowhere).info
    kind, target = features.check(cfg, info.features)
    names, scored, channels = features.target(info, target)
    sizes = tuple(info.features[kind].shape)
    if cfg.layout == "channels_first":
        sizes = (*sizes[1:], sizes[0])
    return Shape(sizes, len(names) or channels or sizes[-1], scored)


def _builder(cfg: DataConfig, folder: str) -> Any:
    if cfg.source == "built":
        built.check_name(cfg.name)
        features.library()
        return importlib.import_module(f"data.builders.{cfg.name}").Builder(data_dir=folder)
    tfds = features.library()

    base = cfg.name.split("/")[0]
    one_of("data.name", base, set(tfds.list_builders(with_community_datasets=False)))
    try:
        return tfds.builder(cfg.name, data_dir=folder)
    except ImportError:
        raise
    except Exception as error:  # TFDS raises almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"the catalogue cannot describe {cfg.name}: {reason}") from error


def _as_asked(cfg: DataConfig, found: Shape) -> Shape:
    *sizes, channels = found.input_shape
    if cfg.resize is not None:
        if len(sizes) == 1:
            raise DataError(f"data.resize is for images; {cfg.name} holds sequences")
        sizes = [cfg.resize, cfg.resize]
    if cfg.sequence:
        known = [n for n in sizes if n is not None]
        sizes = [math.prod(known) if len(known) == len(sizes) else None]
    sizes = [n if n is None else n // cfg.factor for n in sizes]
    return Shape((*sizes, channels), found.num_classes, found.scored_steps)
