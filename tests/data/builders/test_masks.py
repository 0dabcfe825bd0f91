"""The masks of placed_digits: the digit's own ink, and nothing else of 1.0.0 has moved."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from data.builders import placed_digits, scenes
from data.builders.digest import content_digest
from data.builders.scenes import SIDE, Placement


@pytest.fixture(scope="module")
def made():
    digits = load_digits()
    return {
        name: scenes.make_split(name, digits.images / 16, digits.target) for name in scenes.SPLITS
    }


def test_the_rest_is_that_of_1_0_0_and_the_masks_are_those_of_1_1_0(made):
    rest = {name: placed_digits.without_mask(columns) for name, columns in made.items()}
    assert content_digest(rest).startswith("0e4c474cb7aa")
    masks = {name: {"mask": columns["mask"]} for name, columns in made.items()}
    assert content_digest(masks).startswith("03b859bb4067")


def test_every_picture_has_its_label_and_the_background(made):
    for columns in made.values():
        mask, label = columns["mask"], columns["label"]
        assert (mask.dtype, mask.shape) == (np.uint8, (len(label), SIDE, SIDE))
        np.testing.assert_array_equal(mask.max(axis=(1, 2)), 1 + label)
        assert set(np.unique(mask)) == set(range(11))
        for picture, digit in zip(mask[:500], label[:500], strict=True):
            assert set(np.unique(picture)) == {0, 1 + digit}


def test_ink_of_a_known_drawing():
    drawing = np.zeros((1, 8, 8))
    drawing[0, 1:7, 2:5] = 1.0
    place = Placement(*(np.array([float(v)]) for v in (8, 9, 2)))
    mask = scenes.masks(scenes.render(drawing, place), np.array([3]))[0]
    # The box reaches from row 10 to 22 and from column 13 to 19; beyond it is a quarter of the ink.
    expected = np.zeros((SIDE, SIDE), np.uint8)
    expected[10:22, 13:19] = 4
    np.testing.assert_array_equal(mask, expected)


def test_clutter_and_background_are_not_masked(monkeypatch):
    """A digit that is alone in its picture has the mask that it has among clutter."""
    monkeypatch.setitem(scenes.SPLITS, "test", 200)
    digits = load_digits()
    busy = scenes.make_split("test", digits.images / 16, digits.target)
    monkeypatch.setattr(scenes, "backgrounds", lambda rng, n: np.zeros((n, SIDE, SIDE)))
    monkeypatch.setattr(scenes, "NOISE", 0.0)
    monkeypatch.setattr(scenes, "STROKES", 0)
    monkeypatch.setattr(scenes, "FRAGMENTS", 0)
    alone = scenes.make_split("test", digits.images / 16, digits.target)
    np.testing.assert_array_equal(alone["mask"], busy["mask"])
    level = alone["image"][..., 0].astype(float)
    assert level[alone["mask"] > 0].min() > 0.4 * scenes.INK[0] - 1
    assert level[alone["mask"] == 0].max() < 0.4 * scenes.INK[1] + 1


def test_the_prepared_set_names_the_classes_of_its_masks(prepared):
    folder = prepared / "placed_digits" / placed_digits.VERSION
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["mask_classes"] == ["background", *"0123456789"]
    assert metadata["content"].startswith("0e4c474cb7aa")


def test_the_prepared_masks_are_the_made_ones(prepared, made):
    from data.sources.store import library

    folder = prepared / "placed_digits" / placed_digits.VERSION
    builder = library().builder_from_directory(folder)
    assert builder.info.features["mask"].shape == (SIDE, SIDE)
    stored = builder.as_data_source(split="validation")
    for i in (0, 1, 999):
        np.testing.assert_array_equal(stored[i]["mask"], made["validation"]["mask"][i])
