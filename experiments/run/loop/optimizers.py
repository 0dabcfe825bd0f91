"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
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


def learning_rate(optimizer: Any) -> float:
    """The learning rate of the next step.

    On JAX, Keras' schedules make new functions at every call, which are compiled anew; here a
    schedule is compiled once.
    """
    import keras

    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of loss scaling
    schedule = inner._learning_rate
    if keras.backend.backend() == "jax" and callable(schedule):
        import jax

        return float(jax.jit(schedule)(inner.iterations.value))
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def shorten(optimizer: Any) -> None:
    """Let Keras' AdamW update each variable by half as many operations, on TensorFlow's CPU.

    The numbers are Keras' to the bit: a variable plus c·d is a gradient descent along d at the rate
    -c, the quotient that Adam subtracts is AdaGrad's, and what depends on the step alone is
    computed once for all variables. TensorFlow's own Adam would be one operation, but its 1 - beta
    is that of a rounded beta, another number. The optimizer stays Keras' AdamW, and is saved as
    that; any other is left as it is, and so is `amsgrad`.

    Args:
        optimizer: of a model that is not compiled by XLA, which rounds what it joins differently.
    """
    import keras

    if keras.backend.backend() != "tensorflow" or type(optimizer) is not keras.optimizers.AdamW:
        return
    import tensorflow as tf

    if not optimizer.amsgrad and not tf.config.list_physical_devices("GPU"):
        optimizer._apply_weight_decay = partial(_decay, optimizer)
        optimizer._backend_update_step = partial(_update, optimizer)


def _decay(adamw: Any, variables: Sequence[Any]) -> None:
    import tensorflow as tf

    rate = tf.cast(adamw.learning_rate, "float32")
    for variable in variables:
        if adamw._use_weight_decay(variable):
            variable.value.assign_sub(variable.value * adamw.weight_decay * rate)


def _update(adamw: Any, gradients: Sequence[Any], variables: Sequence[Any], rate: Any) -> None:
    import tensorflow as tf

    step = tf.cast(adamw.iterations + 1, "float32")
    left_1, left_2 = (1 - tf.pow(beta, step) for beta in (adamw.beta_1, adamw.beta_2))
    rate = tf.cast(rate, "float32") * tf.sqrt(left_2) / left_1
    descend = tf.raw_ops.ResourceApplyGradientDescent
    for gradient, variable in zip(gradients, variables, strict=True):
        i = adamw._get_variable_index(variable)
        mean, square = adamw._momentums[i].value, adamw._velocities[i].value
        descend(var=mean.handle, alpha=adamw.beta_1 - 1, delta=gradient - mean)
        descend(var=square.handle, alpha=adamw.beta_2 - 1, delta=tf.square(gradient) - square)
        tf.raw_ops.ResourceApplyAdagradV2(
            var=variable.value.handle,
            accum=square.handle,
            lr=rate,
            epsilon=adamw.epsilon,
            grad=mean,
            update_slots=False,
        )


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
