"""Training steps to be timed: forward and backward of a layer, or a whole step of a network.

Each step is run once when it is made, so that it is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

import models
from experiments.benchmarks.options import timed
from experiments.benchmarks.padding.padding_cases import CLASSES, Case, Variant
from models import layers

Steps = Callable[[int], None]  # makes this number of training steps, and waits for the last
# So small that the network hardly changes in a thousand steps.
LEARNING_RATE = 1e-6


def ready(case: Case, variant: Variant) -> Steps:
    """Build one side of a comparison, compiled and warm; weights and data are the same for all."""
    keras.utils.set_random_seed(0)
    steps = _of_layer(case, variant) if case.is_layer else _of_model(case, variant)
    steps(1)
    return steps


def timed_steps(steps: Steps) -> Callable[[int], float]:
    """Return a function that makes a number of steps and returns the seconds per step."""
    return lambda count: timed(lambda: steps(count))() / count


def noise(shape: Sequence[int]) -> np.ndarray:
    """Standard normal noise, the same every time."""
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def _of_layer(case: Case, variant: Variant) -> Steps:
    batch, *sizes, channels = case.shape
    shape = (batch, *(n + variant.grown for n in sizes), channels)
    layer = layer_of(case.kind, variant, channels, case.options)
    x = ops.convert_to_tensor(noise(shape))
    layer(x)
    upstream = ops.convert_to_tensor(noise(layer.compute_output_shape(shape)))
    differentiate = gradients(layer)

    def steps(count: int) -> None:
        for _ in range(count):
            found = differentiate(x, upstream)
        _wait(found)

    return steps


def layer_of(kind: str, variant: Variant, channels: int, options: dict[str, Any]) -> keras.Layer:
    """Return a layer with as many filters as channels."""
    filters = {} if kind.startswith("Depthwise") else {"filters": channels}
    return getattr(layers, kind)(padding=variant.padding, **filters, **options)


def gradients(layer: keras.Layer) -> Callable[[Any, Any], list[Any]]:
    """Return a compiled function for the gradients of ReLU(layer(x)) for the weights and x."""
    return (_gradients_jax if keras.backend.backend() == "jax" else _gradients_tensorflow)(layer)


def _gradients_tensorflow(layer: keras.Layer) -> Callable[[Any, Any], list[Any]]:
    import tensorflow as tf

    @tf.function(jit_compile=_on_gpu())
    def differentiate(x: Any, upstream: Any) -> list[Any]:
        sources = [weight.value for weight in layer.trainable_weights] + [x]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = tf.nn.relu(layer(x, training=True))
        return tape.gradient(outputs, sources, output_gradients=upstream)

    return differentiate


def _gradients_jax(layer: keras.Layer) -> Callable[[Any, Any], list[Any]]:
    import jax

    def outputs(weights: list[Any], x: Any, others: list[Any]) -> Any:
        found, _ = layer.stateless_call(weights, others, x, training=True)
        return jax.nn.relu(found)

    @jax.jit
    def differentiate(weights: list[Any], x: Any, others: list[Any], upstream: Any) -> list[Any]:
        _, back = jax.vjp(lambda weights, x: outputs(weights, x, others), weights, x)
        of_weights, of_x = back(upstream)
        return [*of_weights, of_x]

    weights = [weight.value for weight in layer.trainable_variables]
    others = [weight.value for weight in layer.non_trainable_variables]
    return lambda x, upstream: differentiate(weights, x, others, upstream)


def _of_model(case: Case, variant: Variant) -> Steps:
    batch, *shape = case.shape
    model = models.build(
        case.kind,
        input_shape=tuple(shape),
        num_classes=CLASSES,
        padding=variant.padding,
        **case.options,
    )
    model.compile(
        keras.optimizers.AdamW(LEARNING_RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=keras.backend.backend() == "jax" or _on_gpu(),
    )
    model.optimizer.build(model.trainable_variables)
    x = noise((batch, *shape))
    y = np.random.default_rng(1).integers(0, CLASSES, batch, dtype=np.int32)
    return (_train_jax if keras.backend.backend() == "jax" else _train_tensorflow)(model, x, y)


def _train_tensorflow(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Steps:
    """Keras' own compiled step, repeated on one batch."""
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors((x, y)).cache().repeat())
    model.make_train_function()

    def steps(count: int) -> None:
        for _ in range(count):
            logs = model.train_function(batches)
        _wait(logs["loss"])

    return steps


def _train_jax(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Steps:
    """Keras' train step, compiled as in `fit`; the state stays on the device."""
    import jax

    state = state_of(model)
    step = jax.jit(model.train_step, donate_argnums=0)
    batch = jax.device_put((x, y))

    def steps(count: int) -> None:
        nonlocal state
        for _ in range(count):
            logs, state = step(state, batch)
        _wait((logs, state))

    return steps


def state_of(model: keras.Model) -> Any:
    """The state for `model.train_step` on JAX: a copy of all variables, as four lists."""
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    # A copy, because a compiled step donates its arguments.
    return tuple([variable.value.copy() for variable in part] for part in variables)


def _on_gpu() -> bool:
    """Whether TensorFlow uses a GPU, for which train.py compiles with XLA."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _wait(results: Any) -> None:
    """Wait until everything is computed; on TensorFlow one result of a function is enough."""
    if keras.backend.backend() == "jax":
        import jax

        jax.block_until_ready(results)
    else:
        (results[0] if isinstance(results, list) else results).numpy()
