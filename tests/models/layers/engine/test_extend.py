import itertools

import keras
import numpy as np
import pytest

from models.layers.engine.extend import (
    CollapseError,
    check_window,
    pad,
    padded_shape,
    straight_runs,
)
from models.padding import PaddingError
from models.padding.axes import terms
from tests.models.layers import oracle
from tests.models.layers.oracle import AXIS_MODES as MODES


def picture(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 2), (2, 5), (3, 1), (4, 4)])
def test_pixels_are_numpys_at_any_width(mode, shape):
    x = picture(2, *shape, 3)
    for widths in [((0, 0), (0, 0)), ((1, 2), (0, 1)), ((3, 0), (7, 9)), ((11, 4), (2, 2))]:
        padded = np.asarray(pad(keras.ops.convert_to_tensor(x), widths, mode, 0.5))
        expected = oracle.pad(x, widths, [mode] * 2, 0.5).astype("float32")
        # odd_reflect computes its pixels, the others copy theirs.
        far = 1e-5 * np.abs(expected).max() if mode == "odd_reflect" else 0.0
        np.testing.assert_allclose(padded, expected, rtol=0, atol=far)
        assert padded.shape == padded_shape(x.shape, widths)


def test_each_axis_has_its_mode():
    x = picture(1, 3, 4, 2)
    modes = ["constant", "circular"]
    padded = np.asarray(pad(keras.ops.convert_to_tensor(x), ((2, 1), (1, 5)), modes, -2.0))
    assert np.array_equal(padded, oracle.pad(x, ((2, 1), (1, 5)), modes, -2.0).astype("float32"))
    swapped = np.asarray(pad(keras.ops.convert_to_tensor(x), ((2, 1), (1, 5)), modes[::-1], -2.0))
    assert not np.array_equal(padded, swapped)


@pytest.mark.parametrize("modes", itertools.product(MODES, repeat=2), ids="-".join)
def test_any_two_modes_meet(modes):
    x, widths = picture(1, 2, 3, 2), ((3, 1), (2, 7))
    padded = pad(keras.ops.convert_to_tensor(x), widths, modes, -2.0)
    np.testing.assert_allclose(padded, oracle.pad(x, widths, modes, -2.0), rtol=0, atol=5e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_dtype_is_kept(dtype):
    x = keras.ops.cast(picture(1, 4, 1) * 10, dtype)
    for mode in MODES:
        assert keras.backend.standardize_dtype(pad(x, ((1, 2),), mode, 1.0).dtype) == dtype


def test_unknown_sizes_take_constants_only():
    x = keras.Input((None, 4, 1))
    assert pad(x, ((1, 1), (2, 0)), "constant", 1.0).shape == (None, None, 6, 1)
    assert pad(x, ((0, 0), (2, 0)), "reflect").shape == (None, None, 6, 1)
    with pytest.raises(PaddingError, match="needs a known size"):
        pad(x, ((1, 1), (0, 0)), "reflect")


def test_straight_runs():
    assert [r.tolist() for r in straight_runs(np.array([0, 0, 0, 1, 2, 1, 0]))] == [
        [0, 0, 0],
        [1, 2],
        [1, 0],
    ]
    assert straight_runs(np.array([], int)) == []
    assert [r.tolist() for r in straight_runs(np.array([2, 0, 1]))] == [[2], [0, 1]]


@pytest.mark.parametrize("mode", oracle.NUMPY_MODE)
def test_straight_runs_lose_nothing_and_are_few(mode):
    for size in range(1, 7):
        source = terms(size, 20, 0, mode)[0][0][:20]
        runs = straight_runs(source)
        assert np.array_equal(np.concatenate(runs), source)
        assert len(runs) <= 20 // max(1, size - 1) + 2


def test_window_check_names_layer_axis_and_sizes():
    check_window("conv", (None, 1, None, 2), ((1, 1), (0, 0)), (3, 9))
    with pytest.raises(
        CollapseError, match="'conv': its window spans 4 pixels on axis 1"
    ) as caught:
        check_window("conv", (None, 3, 2, 1), ((0, 0), (1, 0)), (3, 4))
    error = caught.value
    assert (error.layer_name, error.axis, error.size, error.needed) == ("conv", 1, 3, 4)
