"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from conf.reader import ConfigError, unknown
from conf.schema import Component

OPTIMIZERS = {"adamw": "AdamW", "sgd": "SGD", "adadelta": "Adadelta"}


def build(optimizer: Component, schedule: Component, *, steps: int) -> Any:
    """A Keras optimizer whose learning rate follows `schedule` over `steps` training steps.

    Weight decay acts on kernels, not on biases, batch normalisation or weight normalisation.
    """
    import keras

    if optimizer.name not in OPTIMIZERS:
        raise unknown("optimizer", optimizer.name, OPTIMIZERS)
    if schedule.name not in SCHEDULES:
        raise unknown("schedule", schedule.name, SCHEDULES)
    cls = getattr(keras.optimizers, OPTIMIZERS[optimizer.name])
    options = _checked("optimizer", optimizer, cls.__init__)
    peak = float(options.pop("learning_rate"))  # Keras does not accept an int
    make = SCHEDULES[schedule.name]
    rate = make(peak, steps, **_checked("schedule", schedule, make))
    try:
        built = cls(learning_rate=rate, **options)
    except ValueError as error:
        raise ConfigError(f"optimizer {optimizer.name}: {error}") from None
    if built.weight_decay:
        built.exclude_from_weight_decay(var_names=["bias", "beta", "gamma", "^g$", "^border$"])
    return built


def constant(peak: float, steps: int) -> Any:
    """The same learning rate throughout."""
    return peak


def cosine(peak: float, steps: int, *, warmup: float, final: float) -> Any:
    """Linear from 0 to `peak` over `warmup`·steps, then half a cosine down to `final`·peak.

    Source: Loshchilov & Hutter 2017 (SGDR), equation 5, without restarts.
    """
    return _two_phases(peak, steps, share=warmup, initial=0.0, final=final)


def one_cycle(peak: float, steps: int, *, warmup: float, initial: float, final: float) -> Any:
    """Up from `initial`·peak over `warmup`·steps, then half a cosine down to `final`·peak.

    Source: Smith & Topin 2018 (super-convergence), with a cosine for the decrease.
    """
    return _two_phases(peak, steps, share=warmup, initial=initial, final=final)


SCHEDULES: dict[str, Callable[..., Any]] = {
    "constant": constant,
    "cosine": cosine,
    "one_cycle": one_cycle,
}


def _two_phases(peak: float, steps: int, *, share: float, initial: float, final: float) -> Any:
    import keras

    for name, value in (("warmup", share), ("initial", initial), ("final", final)):
        if not 0 <= value <= 1:
            raise ConfigError(f"schedule.{name} must be between 0 and 1; got {value}")
    up = min(math.ceil(share * steps), steps - 1)
    if up == 0:
        return keras.optimizers.schedules.CosineDecay(peak, steps, alpha=final)
    return keras.optimizers.schedules.CosineDecay(
        initial * peak, steps - up, alpha=final, warmup_target=peak, warmup_steps=up
    )


def _checked(group: str, component: Component, target: Callable[..., Any]) -> dict[str, Any]:
    """The component's options, checked: each is known to `target` and is a number or a boolean."""
    parameters = set(inspect.signature(target).parameters) - {"self", "kwargs", "name"}
    for key, value in component.options.items():
        if key not in parameters:
            raise unknown("key", f"{group}.{key}", [f"{group}.{name}" for name in parameters])
        number = isinstance(value, (int, float))
        if not number or not math.isfinite(value) or value < 0:
            raise ConfigError(f"{group}.{key} must be a number of at least 0; got {value!r}")
    return dict(component.options)
