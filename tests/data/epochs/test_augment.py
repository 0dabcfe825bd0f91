"""Each operation against an independent computation, on inputs that are not constant."""

import numpy as np
import pytest

from data.config import CROP_MODES, AugmentConfig
from data.epochs import augment as augmentation
from data.epochs.augment import Draws

MODES = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"}


def pictures(n=5, height=6, width=7, channels=2):
    return np.random.default_rng(0).normal(size=(n, height, width, channels)).astype(np.float32)


def draws(n=5, flip=False, window=(0, 0), hole=(99, 99)):
    return Draws(
        np.full(n, flip), np.tile(np.array(window), (n, 1)), np.tile(np.array(hole), (n, 1))
    )


def test_nothing_drawn_changes_nothing():
    x, ids = pictures(), np.array([3, 1])
    np.testing.assert_array_equal(augmentation.apply(x, ids, draws(), AugmentConfig()), x[ids])


def test_flip_mirrors_only_those_drawn():
    x, made = pictures(), draws()
    made.flip[3] = True
    out = augmentation.apply(x, np.array([3, 1]), made, AugmentConfig(flip=True))
    np.testing.assert_array_equal(out[0], x[3, :, ::-1])
    np.testing.assert_array_equal(out[1], x[1])


@pytest.mark.parametrize("mode", CROP_MODES)
@pytest.mark.parametrize("crop", [2, 9])  # 9 is wider than the picture
def test_crop_is_a_window_of_the_padded_picture(mode, crop):
    x, ids = pictures(), np.array([4, 0])
    pads = [(0, 0), (crop, crop), (crop, crop), (0, 0)]
    padded = np.pad(x, pads) if mode == "zeros" else np.pad(x, pads, mode=MODES[mode])
    for down, across in [(0, 0), (2 * crop, 1), (crop, crop), (1, 2 * crop)]:
        out = augmentation.apply(
            x, ids, draws(window=(down, across)), AugmentConfig(crop=crop, crop_mode=mode)
        )
        np.testing.assert_array_equal(out, padded[ids, down : down + 6, across : across + 7])


def test_crop_then_flip():
    x, ids = pictures(), np.arange(5)
    out = augmentation.apply(x, ids, draws(flip=True, window=(0, 3)), AugmentConfig(crop=2))
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    np.testing.assert_array_equal(out, padded[:, 0:6, 3:10][:, :, ::-1])


@pytest.mark.parametrize("hole", [(1, 2), (-2, 5), (5, -1)])
def test_cutout_blanks_one_square_that_may_hang_over(hole):
    x, expected = pictures(), pictures()
    top, left = hole
    expected[:, max(top, 0) : top + 3, max(left, 0) : left + 3] = 0
    out = augmentation.apply(x, np.arange(5), draws(hole=hole), AugmentConfig(cutout=3))
    np.testing.assert_array_equal(out, expected)


def test_draws_cover_their_ranges_evenly():
    config = AugmentConfig(flip=True, crop=2, cutout=3)
    made = augmentation.draw(np.random.default_rng(0), 20000, (6, 7), config)
    assert made.flip.mean() == pytest.approx(0.5, abs=0.02)
    for axis in (0, 1):
        shares = np.bincount(made.window[:, axis]) / 20000
        np.testing.assert_allclose(shares, np.full(5, 0.2), atol=0.02)
    centre = made.hole + 1
    assert (centre.min(axis=0) == 0).all()
    np.testing.assert_array_equal(centre.max(axis=0), [5, 6])


def test_switching_one_operation_on_leaves_the_others_draws():
    def made(**changes):
        config = AugmentConfig(**changes)
        return augmentation.draw(np.random.default_rng(0), 100, (6, 7), config)

    np.testing.assert_array_equal(made(crop=2).window, made(crop=2, flip=True, cutout=3).window)
    assert not made(crop=2).flip.any()


def test_the_source_is_left_alone():
    x = pictures()
    augmentation.apply(x, np.arange(5), draws(hole=(1, 1)), AugmentConfig(cutout=3))
    np.testing.assert_array_equal(x, pictures())
