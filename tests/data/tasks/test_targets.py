"""Targets of image-to-image tasks, read from the user's own arrays."""

import numpy as np
import pytest

import data
from data.config import AugmentConfig
from data.epochs.pipeline import plan_epoch

SIDE = 6


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    found = {}
    for split, n in (("train", 8), ("validation", 3), ("test", 4)):
        found[f"x_{split}"] = rng.integers(0, 255, (n, SIDE, SIDE), np.uint8)
    return found


@pytest.fixture
def load(tmp_path, arrays):
    def loaded(task, **settings):
        np.savez(tmp_path / "own.npz", **arrays)
        cfg = data.DataConfig("own", "npz", path=str(tmp_path / "own.npz"), task=task, **settings)
        return data.load(cfg)

    return loaded


def with_targets(arrays, make):
    for name in ("train", "validation", "test"):
        arrays[f"y_{name}"] = make(arrays[f"x_{name}"])


def test_an_image_without_a_target_is_its_own(load, arrays):
    found = load("reconstruction")
    assert found.train.y is found.train.x
    assert (found.spec.num_classes, found.spec.class_names) == (1, ())
    assert (found.spec.target_mean, found.spec.target_std) == (found.spec.mean, found.spec.std)
    assert found.spec.target_range == 255
    stored = found.test.y * found.spec.target_std + found.spec.target_mean
    np.testing.assert_allclose(stored[..., 0], arrays["x_test"], atol=1e-4)


def test_labels_are_no_pictures(load, arrays):
    with_targets(arrays, lambda x: np.arange(len(x)) % 2)
    found = load("reconstruction")
    assert found.train.y is found.train.x


def test_pairs_of_pictures_have_statistics_of_their_own(load, arrays):
    with_targets(arrays, lambda x: np.stack([x / 4.0 + 7, x * 2.0], axis=-1))
    found = load("reconstruction")
    assert found.spec.num_classes == 2
    assert found.test.y.shape == (4, SIDE, SIDE, 2)
    stored = found.test.y * found.spec.target_std + found.spec.target_mean
    np.testing.assert_allclose(stored, arrays["y_test"], rtol=1e-4)
    both = arrays["y_train"]
    assert found.spec.target_range == pytest.approx(both.max() - both.min())


def test_masks_have_classes_and_pixels_that_do_not_count(load, arrays):
    def masks(x):
        y = (x > 100).astype(int) + (x > 200)
        y[:, 0, 0] = -1
        return y

    with_targets(arrays, masks)
    found = load("segmentation")
    assert found.spec.class_names == ("0", "1", "2")
    assert found.train.y.dtype == np.int32
    np.testing.assert_array_equal(found.test.y, arrays["y_test"])


def test_a_resized_mask_keeps_its_classes(load, arrays):
    with_targets(arrays, lambda x: np.tile((np.arange(SIDE) > 2) * 2, (len(x), SIDE, 1)))
    arrays["class_names"] = np.array(["a", "b", "c"])
    found = load("segmentation", resize=12)
    assert found.test.y.shape == (4, 12, 12)
    np.testing.assert_array_equal(found.test.y[0, 0], (np.arange(12) > 5) * 2)


def test_super_resolution_shrinks_the_input(load, arrays):
    for name in list(arrays):
        arrays[name] = np.pad(arrays[name], ((0, 0), (0, 1), (0, 2)))
    found = load("super_resolution", factor=3)
    assert found.spec.input_shape == (2, 2, 1)
    assert found.test.y.shape == (4, 6, 6, 1)
    stored = found.test.y[..., 0] * found.spec.target_std + found.spec.target_mean
    np.testing.assert_allclose(stored, arrays["x_test"][:, :6, :6], atol=1e-4)


def test_a_constant_image_stays_constant_when_it_is_shrunk(load, arrays):
    arrays["x_test"][:] = 77
    found = load("super_resolution", factor=2)
    np.testing.assert_allclose(found.test.x * found.spec.std + found.spec.mean, 77, atol=1e-4)


def test_a_mirrored_input_has_a_mirrored_target(load, arrays):
    with_targets(arrays, lambda x: (x > 100).astype(int))
    train = load("segmentation").train
    settings = {"epoch": 0, "order_seed": 1, "augment_seed": 2, "batch_size": 8}
    x, y = plan_epoch(train, augment=AugmentConfig(flip=True), **settings)[0]
    plain, _ = plan_epoch(train, augment=AugmentConfig(), **settings)[0]
    assert not np.array_equal(x, plain)
    level = (100.5 - arrays["x_train"].mean()) / arrays["x_train"].std()
    np.testing.assert_array_equal(x[..., 0] > level, y == 1)


@pytest.mark.parametrize(
    ("task", "make", "why"),
    [
        ("segmentation", lambda x: x[:, 1:] // 100, "does not pair with x_train"),
        ("segmentation", lambda x: x[1:] // 100, "does not pair with x_train"),
        ("segmentation", lambda x: x / 3, "not whole numbers"),
        ("segmentation", lambda x: x * 0, "hold one class"),
        ("segmentation", lambda x: (x > 100) * 4 - 2, "holds the class -2"),
        ("reconstruction", lambda x: x[:, :, 1:], "does not pair with x_train"),
        ("reconstruction", lambda x: x * np.nan, "NaN"),
        ("classification", lambda x: x // 100, "task=segmentation"),
    ],
)
def test_targets_that_do_not_fit_are_told_in_one_line(load, arrays, task, make, why):
    with_targets(arrays, make)
    with pytest.raises(data.DataError, match=why) as told:
        load(task)
    assert "\n" not in str(told.value)


def test_segmentation_needs_masks(load):
    with pytest.raises(data.DataError, match="lacks y_train"):
        load("segmentation")


def test_super_resolution_needs_images_of_the_factors_size(load):
    with pytest.raises(data.DataError, match="too few for the factor 7"):
        load("super_resolution", factor=7)


@pytest.mark.parametrize("augment", [AugmentConfig(crop=1), AugmentConfig(cutout=2)])
def test_an_augmentation_that_moves_the_input_alone_is_refused(load, augment):
    with pytest.raises(data.DataError, match=r"takes data\.augment\.flip alone"):
        load("reconstruction", augment=augment)


def test_a_set_that_streams_is_refused(load):
    with pytest.raises(data.DataError, match="needs the set in memory"):
        load("reconstruction", memory=1e-9)
