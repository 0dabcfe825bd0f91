"""red_green: the published pictures to the last pixel, and fresh ones that nothing has seen."""

import hashlib

import numpy as np
import pytest

import data
from data.builders import red_green
from data.builders.digest import content_digest


@pytest.fixture(scope="module")
def published():
    return red_green.make_splits(published_validation=True)


@pytest.fixture(scope="module")
def mended():
    return red_green.make_splits(published_validation=False)


def subset(columns, name):
    return columns["image"][columns["subset"] == red_green.SUBSETS.index(name)]


def keys(pictures):
    return {picture.tobytes() for picture in pictures}


def test_the_training_pictures_are_the_published_ones(published, mended):
    # The digest of what the authors' generator makes, (n, h, w, c) with boxes of 255.
    digest = hashlib.sha256(published["train"]["image"].tobytes()).hexdigest()
    assert digest.startswith("af2e69c3705b6ef1")
    np.testing.assert_array_equal(mended["train"]["image"], published["train"]["image"])


def test_the_published_flaw_is_kept_and_marked(published):
    first = published["train"]["image"][:1000]
    np.testing.assert_array_equal(published["validation"]["image"], first)
    np.testing.assert_array_equal(subset(published["test"], "similar"), first)
    assert (published["validation"]["subset"] == red_green.SUBSETS.index("similar")).all()


def test_fresh_pictures_serve_once(published, mended):
    trained, validation = keys(mended["train"]["image"]), keys(mended["validation"]["image"])
    fresh = keys(subset(mended["test"], "fresh_similar"))
    assert not trained & validation
    assert not fresh & (trained | validation)
    assert len(fresh) > 900
    for column in ("image", "label", "subset"):
        np.testing.assert_array_equal(mended["test"][column], published["test"][column])


def test_the_order_of_the_boxes_tells_the_class_and_the_height_betrays_it(mended):
    test = mended["test"]
    np.testing.assert_array_equal(np.bincount(test["subset"]), [1000] * 4)
    boxes = test["image"] == 255
    assert (boxes.sum(axis=(1, 2)) == [16, 16, 0]).all()
    columns = np.arange(32)
    where = (boxes.any(axis=1) * columns[:, None]).sum(axis=1) / 4  # (n, 3) mean column
    np.testing.assert_array_equal(where[:, 0] > where[:, 1], test["label"] == 1)
    rows = (boxes.any(axis=(2, 3)) * columns).sum(axis=1) / boxes.any(axis=(2, 3)).sum(axis=1)
    similar = np.isin(test["subset"], [0, 2])
    np.testing.assert_array_equal(rows > 16, (test["label"] == 1) == similar)


def test_dissimilar_pictures_are_the_similar_ones_moved(mended):
    labels = mended["test"]["label"][:1000]
    for kind in ("", "fresh_"):
        similar = subset(mended["test"], f"{kind}similar")
        moved = subset(mended["test"], f"{kind}dissimilar")
        for label, by in ((0, 16), (1, -16)):
            here = labels == label
            np.testing.assert_array_equal(moved[here], np.roll(similar[here], by, axis=1))


def test_version_1_0_0_is_this_content(published, mended):
    assert content_digest(mended).startswith("0a712bbd9607")
    assert content_digest(published).startswith("b6c4e93e45aa")


@pytest.mark.full
def test_the_prepared_set_tells_the_subsets_apart(data_dir):
    cfg = data.DataConfig("red_green", "built", data_dir=data_dir, normalize="unit")
    d = data.load(cfg)
    assert [len(part) for part in (d.train, d.validation, d.test)] == [2000, 1000, 4000]
    assert (d.spec.input_shape, d.spec.validation) == ((32, 32, 3), "official")
    assert set(np.unique(d.train.x)) == {0.0, 1.0}
    assert list(dict.fromkeys(d.test.subset.tolist())) == list(red_green.SUBSETS)
    assert not d.test.subset.flags.writeable
    few = data.load(data.DataConfig(**vars(cfg) | {"examples": 10}))
    assert few.train.subset.tolist() == ["similar"] * 10
