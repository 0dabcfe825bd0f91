"""What a run needs before it trains: its data's fingerprint, the data, the network.

Runs of one process share what they can: a set is read once.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import data
import models
from conf.reader import ConfigError
from conf.schema import Config
from experiments import framework, terminal

if TYPE_CHECKING:
    from data.shapes import Shape


def fingerprint(config: Config) -> str:
    """The identity of the configured data, which is made first where the project makes it."""
    found = data.fingerprint(config.data)
    if found is None:
        with terminal.busy(f"preparing {config.data.name}, once"):
            framework.start(config.backend)
            data.ensure(config.data)
        found = data.fingerprint(config.data)
    return str(found)


def load(config: Config, fingerprint: str) -> data.Data:
    """The configured data; that of the last run, where it is the same.

    Raises:
        ConfigError: if the configuration asks for a split that the data does not have.
    """
    loaded = _load(config.data, fingerprint)
    for name in ("early_stopping", "restore_best"):
        if getattr(config.trainer, name) and loaded.validation is None:
            raise ConfigError(f"trainer.{name} needs a validation split: data.validation > 0")
    return loaded


@functools.lru_cache(maxsize=1)
def _load(config: data.DataConfig, _fingerprint: str) -> data.Data:
    return data.load(config)


def build(config: Config, spec: data.Spec | Shape) -> Any:
    """The configured network for data of this shape."""
    return models.build(
        config.model.name,
        input_shape=spec.input_shape,
        num_classes=spec.num_classes,
        padding=config.padding.padding,
        overrides=config.padding.overrides,
        pools=config.padding.pools,
        padding_seed=config.seeds.derived(config.seed)["padding"],
        scored_steps=spec.scored_steps,
        **config.model.options,
    )
