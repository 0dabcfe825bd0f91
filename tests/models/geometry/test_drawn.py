"""Drawn networks: what the arithmetic claims of them, against gradients that know none of it."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from models.geometry.reach.paths import paths
from models.geometry.tracing.trace import meetings, trace
from tests.models.geometry.drawn import build, networks
from tests.models.geometry.reach.gradients import bounds, gradients_of, one_hot

TWENTY = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
FEW = settings(TWENTY, max_examples=3)
MANY = settings(TWENTY, max_examples=1500, derandomize=False)


def check_fields(network):
    """Every map of an interior output: first and last pixel, and where branches meet."""
    keras.utils.clear_session()
    sizes = (160,) if network.rank == 1 else (90, 84)
    model, twin = (build(network, sizes, 4, twin) for twin in (False, True))
    assume(model is not None)
    x = np.ones((1, *sizes, 4), "float32")
    rows = {row.name: row for row in trace(model)}
    met = meetings(model)
    for name in {model.layers[-1].name, *(b for meeting in met for b in meeting.branches)}:
        row = rows[name]
        gradient = gradients_of(keras.Model(twin.input, twin.get_layer(_end(twin, name)).output))
        for step in (0, 1):
            at = [n // 2 + step for n in row.output_size]
            found = gradient(x, one_hot(row.output_size, at))
            for axis, y in enumerate(at):
                r, s, p = (
                    getattr(row, c)[axis]
                    for c in ("receptive_field", "effective_stride", "effective_padding")
                )
                assert bounds(found, axis) == (y * s - p, y * s - p + r - 1), (name, axis)


def _end(twin, name):
    names = [layer.name for layer in twin.layers]
    return f"{name}_sum" if f"{name}_sum" in names else name


def check_paths(network, sizes, channels):
    """The whole map, and single outputs in a corner and inside, borders and all."""
    keras.utils.clear_session()
    sizes = sizes[: network.rank]
    for _ in range(3):
        model = build(network, sizes, channels)
        if model is not None:
            break
        sizes = tuple(2 * n + 1 for n in sizes)
    assume(model is not None)
    twin = build(network, sizes, channels, twin=True)
    gradient = gradients_of(twin)
    x = np.ones((1, *sizes, channels), "float32")
    shape = trace(model)[-1].output_size
    some = np.random.default_rng(0).integers(0, 3, shape)
    middle = [n // 2 for n in shape]
    for weights in (np.ones(shape), one_hot(shape, [0] * len(shape)), one_hot(shape, middle), some):
        expected = gradient(x, weights) / channels
        found = paths(model, weights)
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(found / scale, expected / scale, atol=3e-6)


SIZES = st.tuples(st.integers(3, 11), st.integers(3, 11))


@FEW
@given(networks())
def test_fields_lie_where_gradients_do(network):
    check_fields(network)


@FEW
@given(networks(), SIZES, st.sampled_from((1, 3, 4)))
def test_paths_are_the_gradients(network, sizes, channels):
    check_paths(network, sizes, channels)


@pytest.mark.full
@TWENTY
@given(networks())
def test_more_fields(network):
    check_fields(network)


@pytest.mark.full
@TWENTY
@given(networks(), SIZES, st.sampled_from((1, 3, 4)))
def test_more_paths(network, sizes, channels):
    check_paths(network, sizes, channels)


@pytest.mark.random
@MANY
@given(networks(4))
def test_any_fields(network):
    check_fields(network)


@pytest.mark.random
@MANY
@given(networks(4), SIZES, st.sampled_from((1, 3, 4)))
def test_any_paths(network, sizes, channels):
    check_paths(network, sizes, channels)
