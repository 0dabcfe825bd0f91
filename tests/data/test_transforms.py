"""Resizing, normalising and choosing, against other libraries or by hand."""

import keras
import numpy as np
import pytest

from data import transforms
from data.sources.streaming import Rows


@pytest.mark.parametrize(("height", "width", "side"), [(28, 28, 32), (28, 20, 14), (7, 9, 5)])
def test_resize_is_antialiased_bilinear(height, width, side):
    x = np.random.default_rng(0).integers(0, 256, (3, height, width, 2)).astype(np.uint8)
    expected = keras.ops.image.resize(
        x.astype(np.float32), (side, side), antialias=True, data_format="channels_last"
    )
    np.testing.assert_allclose(
        transforms.resize_images(x, side), keras.ops.convert_to_numpy(expected), atol=2e-3
    )


def test_resize_to_the_same_side_changes_nothing():
    x = np.random.default_rng(0).random((2, 6, 6, 1)).astype(np.float32)
    np.testing.assert_array_equal(transforms.resize_images(x, 6), x)


def test_pixels_stand_in_rows_or_in_one_order_for_all():
    x = np.arange(2 * 3 * 4 * 2).reshape(2, 3, 4, 2)
    order = transforms.pixel_order(12, 0)
    # The order is a part of the data: it must not change with a version of NumPy.
    assert order.tolist() == [9, 2, 7, 4, 5, 11, 0, 3, 6, 10, 8, 1]
    assert transforms.pixel_order(12, None).tolist() == list(range(12))
    assert transforms.pixel_order(12, 1).tolist() != order.tolist()
    plain = Rows(x, np.array([1, 0]), transforms.pixel_order(12, None))
    assert plain.shape == plain[:].shape == (2, 12, 2)
    np.testing.assert_array_equal(plain[:][0, 5], x[1, 1, 1])
    mixed = Rows(x, np.array([1, 0]), order)
    np.testing.assert_array_equal(mixed[1:], plain[:][1:, order])


def test_statistics_are_those_of_numpy_over_several_chunks():
    x = np.random.default_rng(0).integers(0, 256, (2500, 3, 4, 2)).astype(np.uint8)
    x[..., 1] //= 3
    mean, std = transforms.channel_statistics(x)
    np.testing.assert_allclose(mean, x.astype(float).mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(std, x.astype(float).std(axis=(0, 1, 2)))


@pytest.mark.parametrize(
    ("x", "mode", "mean", "std"),
    [
        (np.array([[[0], [10]]], np.uint8), "standardize", 5, 5),
        (np.array([[[0], [10]]], np.uint8), "unit", 0, 255),
        (np.array([[[-1.0], [3.0]]]), "unit", -1, 4),
        (np.array([[[7.0], [9.0]]]), "none", 0, 1),
        (np.array([[[7.0], [7.0]]]), "standardize", 7, 1),  # a constant channel
    ],
)
def test_normalisation(x, mode, mean, std):
    got = transforms.normalisation(x, mode)
    assert (got[0].item(), got[1].item()) == (mean, std)


def test_normalised_values():
    x = np.random.default_rng(0).integers(0, 256, (1500, 2, 2, 3)).astype(np.uint8)
    mean, std = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 8.0])
    out = transforms.apply_normalisation(x, mean, std)
    assert out.dtype == np.float32
    assert out.flags.c_contiguous
    np.testing.assert_allclose(out, (x - mean) / std, rtol=1e-6)


def test_every_prefix_of_the_order_is_stratified():
    y = np.repeat([0, 1, 2], [600, 300, 100])
    y = np.random.default_rng(1).permutation(y)
    order = transforms.stratified_order(y, seed=5)
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    for k in (10, 37, 100, 500, 999):
        counts = np.bincount(y[order[:k]], minlength=3)
        assert np.abs(counts - k * np.array([0.6, 0.3, 0.1])).max() <= 1.5
    np.testing.assert_array_equal(order, transforms.stratified_order(y, seed=5))
    assert not np.array_equal(order, transforms.stratified_order(y, seed=6))
    # Random also where all classes are equally large.
    equal = np.tile(np.arange(10), 50)
    first = [equal[transforms.stratified_order(equal, s)[:10]].tolist() for s in range(3)]
    assert first[0] != first[1] != first[2]
