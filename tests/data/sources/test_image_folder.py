"""A folder of images: its layouts, what is read, and what is refused by name."""

import shutil
import sys

import numpy as np
import pytest
from PIL import Image

import data
from data.sources import image_folder


def picture(seed, size=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)


def save(file, pixels):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


@pytest.fixture
def split(tmp_path):
    """train and test parts of two classes: 8 and 3 images each."""
    for part, n in {"train": 8, "test": 3}.items():
        for label, name in enumerate(("cat", "dog")):
            for i in range(n):
                save(tmp_path / "own" / part / name / f"{i}.png", picture([label, i, n]))
    return tmp_path / "own"


@pytest.fixture
def flat(tmp_path):
    """Two classes of 20 and 10 images, no splits."""
    for label, (name, n) in enumerate({"cat": 20, "dog": 10}.items()):
        for i in range(n):
            save(tmp_path / "own" / name / f"{i:02d}.png", picture([label, i]))
    return tmp_path / "own"


def config(folder, **changes):
    values = {"normalize": "none", "validation": 0.0} | changes
    return data.DataConfig("own", "image_folder", path=str(folder), **values)


def load(folder, **changes):
    return data.load(config(folder, **changes))


def test_pictures_come_in_the_order_of_their_paths(split):
    (split / "notes.txt").write_text("not an image")
    (split / "train" / ".hidden").mkdir()
    save(split / "train" / ".hidden" / "x.png", picture(0))
    d = load(split)
    stored = [picture([label, i, 8]) for label in (0, 1) for i in range(8)]
    np.testing.assert_array_equal(d.train.x, np.stack(stored).astype(np.float32))
    np.testing.assert_array_equal(d.train.y, np.repeat([0, 1], 8))
    np.testing.assert_array_equal(d.test.y, np.repeat([0, 1], 3))
    assert d.spec.class_names == ("cat", "dog")
    assert (d.spec.kind, d.spec.input_shape, d.spec.test) == ("image", (6, 5, 3), "test")


@pytest.mark.parametrize("layout", ["split", "flat"])
def test_without_tensorflow_the_same_is_listed(layout, request, monkeypatch):
    folder = request.getfixturevalue(layout)
    with_tfds = image_folder.list_images(folder)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(image_folder.store, "keep_off_the_gpu", None)  # TFDS' way is not taken
    assert image_folder.list_images(folder) == with_tfds
    assert sum(len(files) for by in with_tfds.values() for files in by.values()) in (22, 30)


@pytest.mark.parametrize("name", ["validation", "val"])
def test_a_validation_part_is_used(split, name):
    shutil.copytree(split / "test", split / name)
    d = load(split)
    assert (len(d.train), len(d.validation), len(d.test)) == (16, 6, 6)
    assert d.spec.validation == "official"


def test_a_folder_without_splits_is_cut_by_the_seed(flat):
    d = load(flat, test=0.2)
    assert d.spec.test == "held out"
    np.testing.assert_array_equal(np.bincount(d.train.y), [16, 8])
    np.testing.assert_array_equal(np.bincount(d.test.y), [4, 2])
    both = np.concatenate([d.train.source_ids, d.test.source_ids])
    np.testing.assert_array_equal(np.sort(both), np.arange(30))
    for part in (d.train, d.test):  # a source id counts the folder's images in order
        expected = [picture([s // 20, s % 20]) for s in part.source_ids]
        np.testing.assert_array_equal(part.x, np.stack(expected))
    again, other = load(flat, test=0.2), load(flat, test=0.2, split_seed=1)
    np.testing.assert_array_equal(again.test.source_ids, d.test.source_ids)
    assert not np.array_equal(other.test.source_ids, d.test.source_ids)
    assert len(load(flat, test=0.5).test) == 15
    assert len(load(flat, validation=0.25).validation) == 6


def test_train_alone_is_cut_too_and_validation_alone_is_the_test(split):
    shutil.move(split / "test", split / "val")
    d = load(split)
    assert (len(d.train), len(d.test), d.spec.test) == (16, 6, "validation")
    shutil.rmtree(split / "val")
    assert (len(load(split, test=0.25).test), load(split).spec.test) == (4, "held out")


def test_grey_stays_grey_until_one_has_colour(flat):
    for file in flat.rglob("*.png"):
        save(file, picture(1, (6, 5)))
    assert load(flat).spec.input_shape == (6, 5, 1)
    save(flat / "cat" / "00.png", picture(2))
    x = load(flat).train.x
    assert x.shape[1:] == (6, 5, 3)
    grey = (x == x[..., :1]).all(axis=(1, 2, 3))
    assert (~grey).sum() <= 1 <= grey.sum()


def test_images_of_many_sizes_take_a_resize(flat):
    save(flat / "dog" / "03.png", picture(0, (9, 4, 3)))
    with pytest.raises(data.DataError, match=r"6×5 and .*dog/03.png 9×4; set data.resize"):
        load(flat)
    assert load(flat, resize=4).spec.input_shape == (4, 4, 3)


def test_fingerprint_follows_names_and_bytes_not_the_place(split, tmp_path):
    first = data.fingerprint(config(split))
    moved = shutil.copytree(split, tmp_path / "elsewhere")
    assert data.fingerprint(config(moved)) == first
    (moved / "readme.txt").write_text("not an image")
    assert data.fingerprint(config(moved)) == first
    (moved / "train" / "cat" / "0.png").rename(moved / "train" / "cat" / "z.png")
    renamed = data.fingerprint(config(moved))
    save(moved / "test" / "cat" / "0.png", picture(99))
    assert len({first, renamed, data.fingerprint(config(moved))}) == 3
    assert data.fingerprint(config(tmp_path / "nowhere")) is None


def nothing(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def no_folder(folder):
    shutil.rmtree(folder)


def one_class(folder):
    shutil.rmtree(folder / "train" / "cat")
    shutil.rmtree(folder / "test" / "cat")


def no_cat_to_test(folder):
    shutil.rmtree(folder / "test" / "cat")


def an_empty_class(folder):
    (folder / "train" / "eel").mkdir()


def a_broken_image(folder):
    (folder / "train" / "dog" / "3.png").write_bytes(b"no image")


def a_truncated_image(folder):
    file = folder / "train" / "dog" / "3.png"
    file.write_bytes(file.read_bytes()[:80])


def a_deep_image(folder):
    Image.fromarray(np.zeros((6, 5), np.uint16)).save(folder / "train" / "dog" / "3.png")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (nothing, "own holds no images to train on; the layout is <folder>/<class>/<image>"),
        (no_folder, "own is not a folder"),
        (one_class, "holds one class, dog; at least two"),
        (no_cat_to_test, "the class cat has no image in the test part"),
        (an_empty_class, "the class eel has no image in the train part"),
        (a_broken_image, "train/dog/3.png cannot be read as an image"),
        (a_truncated_image, "train/dog/3.png cannot be read as an image"),
        (a_deep_image, "train/dog/3.png has more than 8 bits"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(split, harm, says):
    harm(split)
    with pytest.raises(data.DataError, match=says) as caught:
        load(split)
    assert "\n" not in str(caught.value)


def test_a_class_too_small_to_cut_is_named(flat):
    for i in range(1, 10):
        (flat / "dog" / f"{i:02d}.png").unlink()
    with pytest.raises(data.DataError, match="leaves none of the class dog to test"):
        load(flat)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"path": None}, "data.source=image_folder needs data.path=<folder>"),
        ({"test": 1.0}, "data.test=1.0 must be a fraction between 0 and 1"),
        ({"kind": "image"}, "data.kind='image' means nothing with source=image_folder"),
        ({"source": "npz", "test": 0.5}, "data.test=0.5 means nothing with source=npz"),
    ],
)
def test_settings_that_mean_nothing(split, changes, says):
    values = {"name": "own", "source": "image_folder", "path": str(split)} | changes
    with pytest.raises(data.DataError, match=says):
        data.load(data.DataConfig(**values))
