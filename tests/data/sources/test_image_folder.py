"""A folder of images: its layouts, what is read, and what is refused by name."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data
from data.sources import image_files, image_listing


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


def test_the_listing_takes_no_tensorflow(split):
    code = f"""
import sys, data
data.load(data.DataConfig("own", "image_folder", path={str(split)!r}))
assert not {{"tensorflow", "tensorflow_datasets"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("ending", ["webp", "bmp", "tif", "TIFF", "gif", "jpeg", "jfif", "PNG"])
def test_every_format_is_read(flat, ending):
    """In a class that was short without a word: 20 images of one format and 6 of another."""
    for i in range(6):
        save(flat / "dog" / f"more{i}.{ending}", picture([9, i]))
    d = load(flat)
    assert len(d.train) + len(d.test) == 36
    assert d.notes == ()
    if ending not in ("gif", "jpeg", "jfif", "webp"):  # those that lose nothing
        pictures = np.concatenate([d.train.x, d.test.x])
        assert any(np.array_equal(picture([9, 5]), x) for x in pictures)


def test_of_an_animation_the_first_frame_is_read(flat):
    frames = [Image.new("RGB", (5, 6), colour) for colour in ("red", "blue")]
    for ending in ("gif", "tif"):
        file = flat / "cat" / f"zz.{ending}"
        frames[0].save(file, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(image_files.pixels(file), np.full((6, 5, 3), [255, 0, 0]))
    assert len(load(flat).train) == 26


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("training", "val", "testing"),
        ("Train", "Valid", "Test"),
        ("TRAINING", "VALIDATION", "TESTING"),
        ("train", "valid", "Testing"),
    ],
)
def test_usual_spellings_of_splits(split, train, validation, test):
    shutil.copytree(split / "test", split / "held")
    for old, new in (("train", train), ("held", validation), ("test", test)):
        (split / old).rename(split / f"_{new}")  # by way of a third name, for any file system
        (split / f"_{new}").rename(split / new)
    d = load(split)
    assert (len(d.train), len(d.validation), len(d.test)) == (16, 6, 6)
    assert (d.spec.class_names, d.spec.test, d.notes) == (("cat", "dog"), "test", ())


def test_images_deeper_in_the_folder_of_their_class(split):
    for year in ("2019", "2020"):
        for i in range(3):
            save(split / "train" / "cat" / year / "may" / f"{i}.png", picture([5, i]))
    d = load(split)
    np.testing.assert_array_equal(np.bincount(d.train.y), [14, 8])
    assert d.notes == (
        "own: 28 images are read, 6 of them from folders inside those of the classes",
    )


def test_a_link_back_is_not_followed(split):
    (split / "train" / "cat" / "all").symlink_to(split, target_is_directory=True)
    assert len(load(split).train) == 16


def test_what_is_left_aside_is_said_with_counts(split):
    for place in ("train/cat/a.txt", "train/cat/b.TXT", "train/dog/a.heic", "test/dog/LICENSE"):
        (split / place).write_text("not read")
    for place in ("train/loose.png", "0.png", "more/cat/0.png", "more/cat/1.webp"):
        save(split / place, picture(0))
    save(split / "train" / "dog" / ".trash" / "0.png", picture(0))
    (split / "train" / "dog" / "._0.png").write_bytes(b"what macOS writes beside a file")
    for quiet in (".DS_Store", "labels.csv", "more/readme.md"):
        (split / quiet).write_text("not said")
    d = load(split)
    assert (len(d.train), len(d.test)) == (16, 6)
    (line,) = d.notes
    read, aside = line.split("; ignored: ")
    assert read == "own: 22 images are read"
    assert sorted(aside.split(", ")) == [
        ".heic files (1)",
        ".txt files (2)",
        "files without an extension (1)",
        "hidden images (2)",
        "images beside the splits (1)",
        "images beside the splits in more (2)",
        "images outside the folders of the classes (1)",
    ]


def test_a_hundred_endings_make_no_long_line(flat):
    for i in range(100):
        (flat / "cat" / f"scan.{i:04d}").write_text("")
    assert load(flat).notes[0].endswith("others (92)")
    assert len(load(flat).notes[0]) < 200


def test_a_class_of_which_nothing_can_be_read_says_what_is_there(flat):
    for file in (flat / "dog").iterdir():
        file.rename(file.with_suffix(".heic"))
    says = r"the class dog has no image in the train part .*GIF; ignored: .heic files \(10\)$"
    with pytest.raises(data.DataError, match=says):
        load(flat)


@pytest.mark.parametrize("names", [("training_set", "test_set"), ("train2017", "val2017")])
def test_splits_of_other_names_are_not_taken_for_classes(split, names):
    for old, new in zip(("train", "test"), names, strict=True):
        (split / old).rename(split / new)
    says = f"{min(names)} and {max(names)} with folders of their own, .* call them train, valid"
    with pytest.raises(data.DataError, match=says):
        load(split)


def test_a_folder_that_may_not_be_listed_is_not_passed_over():
    """In a folder of its own, which another user may enter."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        for i in range(8):
            save(folder / f"class{i % 2}" / "part" / f"{i}.png", picture(i))
        closed = folder / "class1" / "part"
        closed.chmod(0)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)
            with pytest.raises(data.DataError, match="class1/part cannot be read .Permission"):
                image_listing.list_images(folder)
        finally:
            os.seteuid(user)
            closed.chmod(0o755)


def test_a_file_that_is_gone_is_named(split):
    (split / "train" / "cat" / "9.png").symlink_to(split / "nowhere.png")
    with pytest.raises(data.DataError, match="9.png cannot be read .No such file"):
        load(split)


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


def test_the_fingerprint_is_that_of_earlier_versions_where_they_read_the_same(split):
    """A digest of the paths and bytes of all .png and .jpg files, also of those left aside."""
    save(split / "train" / "loose.png", picture(7))
    save(split / "more.gif", picture(8))
    digest = hashlib.sha256()
    for file in sorted(split.rglob("*.png")):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(split).as_posix()}\0{content}\n".encode())
    assert data.fingerprint(config(split)) == f"own+{digest.hexdigest()[:12]}"


@pytest.mark.parametrize(
    "file",
    ["train/cat/1.webp", "train/cat/deep/1.png", "Testing/cat/1.png", "train/cat/.hidden.png"],
)
def test_where_earlier_versions_read_less_or_more_the_fingerprint_is_another(split, file):
    save(split / file, picture(1))
    digest = hashlib.sha256()
    for png in sorted(split.rglob("*.png")):  # the earlier fingerprint
        content = hashlib.sha256(png.read_bytes()).hexdigest()
        digest.update(f"{png.relative_to(split).as_posix()}\0{content}\n".encode())
    assert data.fingerprint(config(split)) != f"own+{digest.hexdigest()[:12]}"
    first = data.fingerprint(config(split))
    save(split / file, picture(2))
    assert data.fingerprint(config(split)) != first


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


def nothing_to_test(folder):
    shutil.rmtree(folder / "test")
    (folder / "test").mkdir()


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
        (nothing_to_test, "the class cat has no image in the test part"),
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


@pytest.mark.parametrize(("one", "two"), [("train", "Training"), ("test", "TESTING")])
def test_two_folders_of_one_split_are_told(split, one, two):
    save(split / two / "cat" / "more.png", picture(99))
    loaded = load(split)
    assert loaded.notes == (f"own: {' and '.join(sorted((one, two)))} are read as one split",)
    assert len(loaded.train) + len(loaded.test) == 2 * (8 + 3) + 1
