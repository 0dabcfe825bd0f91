"""Bytes and a table in place of normalised values: the same values, to the bit, or none."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import data
from data.epochs import codes
from data.transforms import apply_normalisation, byte_levels, normalisation, piece


def stored(n=9, shape=(6, 5, 3)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype(np.uint8)


@pytest.fixture
def own(tmp_path):
    """`own(x, …)` loads a file with these examples, in three classes, as its training split."""

    def load(x, **settings):
        y, path = np.arange(len(x)) % 3, tmp_path / "own.npz"
        test = np.arange(len(x[:6])) % 3
        np.savez(path, x_train=x, y_train=y, x_test=x[:6], y_test=test)
        return data.load(data.DataConfig("own", "npz", path=str(path), validation=0.25, **settings))

    return load


def assert_bytes(split):
    """The inputs are held as bytes, and a batch has the values of the split."""
    held = codes.compact(split)
    assert held.x.dtype == np.uint8
    assert 4 * held.x.nbytes == split.x.nbytes
    x, y = held.batch(np, ids := np.array([4, 0, 4]))
    assert x.dtype == np.float32
    assert x.tobytes() == split.x[ids].tobytes()
    assert y.tobytes() == split.y[ids].tobytes()


def assert_values(split):
    held = codes.compact(split)
    assert held.x is split.x
    assert held.levels is None


@pytest.mark.parametrize("mode", ["standardize", "unit", "none"])
@pytest.mark.parametrize("shape", [(6, 5, 3), (7, 2), (40, 40, 1)])
def test_the_bytes_of_normalised_examples_are_those_stored(mode, shape):
    x = stored(shape=shape, n=piece(shape) + 3)
    x[:, ..., 0] //= 9  # a table for each channel
    mean, std = normalisation(x, mode)
    levels = byte_levels(mean, std)
    found = codes.encoded(apply_normalisation(x, mean, std), levels)
    np.testing.assert_array_equal(found, x)
    decoded = codes.decoded(np, found, levels)
    assert decoded.tobytes() == apply_normalisation(x, mean, std).tobytes()


@pytest.mark.parametrize("other", [np.nextafter(np.float32(7), 8), np.nan, 256, -0.0])
def test_one_other_value_keeps_all_as_they_are(other):
    x = stored(n=piece((6, 5, 3)) + 3)
    mean, std = np.zeros(3), np.ones(3)
    values, levels = apply_normalisation(x, mean, std), byte_levels(mean, std)
    assert codes.encoded(values, levels) is not None
    values[-1, 2, 2, 1] = other
    assert codes.encoded(values, levels) is None


@pytest.mark.parametrize(
    "settings",
    [{}, {"normalize": "unit"}, {"sequence": True}, {"sequence": True, "permutation": 5}],
)
def test_own_images_are_held_as_bytes(own, settings):
    loaded = own(stored(n=24), **settings)
    for split in (loaded.train, loaded.validation, loaded.test):
        assert_bytes(split)


def test_own_sequences_are_held_as_bytes(own):
    assert_bytes(own(stored(n=24, shape=(11, 2))).train)


def test_a_folder_of_images_is_held_as_bytes(tmp_path):
    for i, pixels in enumerate(stored(n=24)):
        file = tmp_path / "own" / ("train" if i < 16 else "test") / "ab"[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    folder = str(tmp_path / "own")
    assert_bytes(data.load(data.DataConfig("own", "image_folder", path=folder)).train)


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_other_stored_values_are_held_as_they_are(own, dtype):
    assert_values(own(stored(n=24).astype(dtype)).train)


def test_resized_images_are_held_as_they_are(own):
    assert_values(own(stored(n=24), resize=4).train)


def test_a_split_with_other_values_than_its_table_is_held_as_it_is(own):
    train = own(stored(n=24)).train
    other = train.x.copy()
    other[3, 2, 1, 0] += 1e-6
    assert_values(dataclasses.replace(train, x=other))


def test_a_picture_that_is_its_own_target_is_held_once(own):
    train = own(stored(n=24), task="reconstruction").train
    assert codes.compact(train).y is None
    assert codes.compact(train).nbytes == train.x.nbytes // 4
    assert_bytes(train)


def test_target_pictures_are_held_as_bytes_where_they_were_stored_so(own):
    train = own(stored(n=24), task="super_resolution", factor=2).train
    assert_values(train)  # the input is shrunk
    held = codes.compact(train)
    assert held.y.dtype == np.uint8
    assert held.nbytes == train.x.nbytes + train.y.nbytes // 4
    ids = np.array([4, 0])
    assert held.batch(np, ids)[1].tobytes() == train.y[ids].tobytes()
