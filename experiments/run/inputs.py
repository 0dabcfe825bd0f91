"""The inputs of a training: seeds, data, network.

Runs in one process share their data: a set is read once.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import TYPE_CHECKING, Any

import data
import models
from conf.reader import ConfigError, DoesNotFitError
from data.config import left_out

if TYPE_CHECKING:
    from conf.padding_config import PaddingConfig
    from conf.schema import Component, Seeds, TrainerConfig
    from data.shapes import Shape

FLOAT16_MAX = 65504


def derived(seed: int, own: Seeds) -> dict[str, int]:
    """One independent seed for each source of randomness, from `seed` unless set separately."""
    return {
        name: _derive(seed, name) if set_apart is None else set_apart
        for name, set_apart in dataclasses.asdict(own).items()
    }


def _derive(seed: int, stream: str) -> int:
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def load(config: data.DataConfig, fingerprint: str, trainer: TrainerConfig) -> data.Data:
    """The configured data; that of the last run if it is the same.

    Raises:
        ConfigError: the training needs a split that the data does not have, or its precision is too
            low for the data.
    """
    loaded = _load(config, fingerprint)
    for name in ("early_stopping", "restore_best"):
        if getattr(trainer, name) and loaded.validation is None:
            raise ConfigError(f"trainer.{name} needs a validation split: data.validation > 0")
    if trainer.precision == "mixed_float16":
        _check_float16(config, loaded)
    return loaded


def _check_float16(config: data.DataConfig, loaded: data.Data) -> None:
    import numpy as np

    from data.transforms import extremes

    for name in ("train", "validation", "test"):
        if (split := getattr(loaded, name)) is None:
            continue
        largest = float(np.abs(extremes(split.x)).max())
        if largest > FLOAT16_MAX:
            raise ConfigError(
                f"the inputs of the {name} split of {config.name} reach {largest:.5g} after "
                f"data.normalize={config.normalize}, but trainer.precision=mixed_float16 holds at "
                f"most {FLOAT16_MAX}: use mixed_bfloat16 or another data.normalize"
            )


def framed(loaded: data.Data, model: Any) -> data.Data:
    """The data with the part of its target images that the network gives, if it is a part.

    Raises:
        DoesNotFitError: the network gives no part of the target images.
    """
    if loaded.train.y.ndim < 3:
        return loaded
    from models.geometry.frame import frame
    from models.geometry.tracing.trace import TraceError

    try:
        shown = frame(model)
    except TraceError as error:
        raise DoesNotFitError(str(error)) from None
    whole = tuple((0, size) for size in loaded.train.y.shape[1:3])
    if shown == whole:
        return loaded
    splits = {
        name: dataclasses.replace(split, frame=shown)
        for name in ("train", "validation", "test")
        if (split := getattr(loaded, name)) is not None
    }
    return dataclasses.replace(loaded, **splits)


def said_of(loaded: data.Data, trainer: TrainerConfig) -> list[str]:
    """Lines that the user should see about the data before training."""
    examples = len(loaded.train)
    rest = left_out(examples, trainer.batch_size)
    said = list(loaded.notes)
    if rest:
        said.append(
            f"each epoch leaves out {rest} of {examples:,} training examples, different ones each "
            f"time: a last batch of {rest} would count as much as one of {trainer.batch_size}"
        )
    return said


@functools.lru_cache(maxsize=1)
def _load(config: data.DataConfig, _fingerprint: str) -> data.Data:
    return data.load(config)


def build(
    model: Component, padding: PaddingConfig, spec: data.Spec | Shape, *, padding_seed: int
) -> Any:
    """Build the configured network for data of this shape."""
    return models.build(
        model.name,
        input_shape=spec.input_shape,
        num_classes=spec.num_classes,
        padding=padding.padding,
        overrides=padding.overrides,
        pools=padding.pools,
        padding_seed=padding_seed,
        scored_steps=spec.scored_steps,
        **model.options,
    )
