"""bfloat16 is right to its eight bits, or refused where the backend computes garbage in it."""

import importlib.metadata
import re

import keras
import numpy as np
import pytest

import models
from conf.reader import ConfigError
from experiments.run import framework
from tests.models.layers import oracle

BITS = 2**-8  # the largest relative error of one rounding
NETWORKS = {
    "pictures": ("small_cnn", (16, 16, 1), {"widths": (32, 32), "convs_per_stage": (2, 1)}),
    "no_batch_norm": (
        "small_cnn",
        (16, 16, 3),
        {"widths": (32, 32), "convs_per_stage": (2, 1), "batch_norm": False},
    ),
    "sequences": ("causal_conv1d", (24, 2), {"channels": 16, "levels": 2}),
}
CASES = [
    ("pictures", "reflect"),
    ("no_batch_norm", "same"),
    ("no_batch_norm", "mean"),
    ("sequences", "causal"),
]


def built(name, padding, precision):
    kind, shape, options = NETWORKS[name]
    keras.config.set_dtype_policy(precision)
    try:
        keras.utils.set_random_seed(0)
        return models.build(kind, input_shape=shape, num_classes=5, padding=padding, **options)
    finally:
        keras.config.set_dtype_policy("float32")


def pair(name, padding):
    """The same weights in both precisions, and pictures."""
    full, low = (built(name, padding, p) for p in ("float32", "mixed_bfloat16"))
    low.set_weights(full.get_weights())
    x = np.random.default_rng(0).normal(size=(8, *NETWORKS[name][1])).astype("float32")
    return full, low, x


def refused():
    try:
        framework.fresh(precision="mixed_bfloat16", seed=0)
    except ConfigError as error:
        return str(error)
    finally:
        keras.config.set_dtype_policy("float32")
    return None


@pytest.mark.full
def test_bfloat16_is_refused_exactly_where_its_outputs_are_wrong():
    """Within ten roundings of the largest output: three layers, each of weights, maps and sums."""
    wrong = []
    for name, padding in CASES:
        full, low, x = pair(name, padding)
        expected = full.predict(x, verbose=0)
        error = np.abs(low.predict(x, verbose=0) - expected).max()
        if not error <= 10 * BITS * np.abs(expected).max():
            wrong.append((name, padding, error))
    line = refused()
    assert bool(wrong) == (line is not None), (wrong, line)
    if line:
        assert line.startswith("trainer.precision=mixed_bfloat16: JAX ")
        assert "use trainer.precision=float32, or JAX below 0.11.2" in line
        assert "\n" not in line


@pytest.mark.parametrize(("name", "padding"), CASES)
def test_gradients_in_bfloat16(name, padding):
    """Each weight's gradient, within a fifth of its length.

    Roundings are a tenth of that; the rest is left to ReLUs that they move across zero.
    """
    full, low, x = pair(name, padding)
    cotangent = np.random.default_rng(1).normal(size=(8, 5)).astype("float32")
    expected, found = (oracle.value_and_gradients(m, x, cotangent)[1][1:] for m in (full, low))
    for weight, e, f in zip(full.trainable_variables, expected, found, strict=True):
        apart = np.linalg.norm((np.asarray(f, "float32") - e).ravel())
        assert apart <= np.linalg.norm(e.ravel()) / 5 + 1e-6, weight.path


def test_other_precisions_are_never_refused():
    for precision in ("float32", "mixed_float16", "float16"):
        framework.fresh(precision=precision, seed=0)
    framework.fresh(precision="float32", seed=0)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="is about JAX")
def test_known_versions_are_refused_on_a_cpu():
    import jax

    parts = re.findall(r"\d+", importlib.metadata.version("jax"))
    known = (0, 11, 2) <= tuple(map(int, parts)) <= (0, 12, 0, 1)
    assert (refused() is not None) == (known and jax.default_backend() == "cpu")
