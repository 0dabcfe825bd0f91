"""Folders of images without classes, and of images and their targets."""

import numpy as np
import pytest
from PIL import Image

import data


def save(file, pixels):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def picture(seed, size=(6, 5)):
    return np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)


def load(folder, task, **changes):
    values = {"normalize": "none", "validation": 0.0, "test": 0.25} | changes
    return data.load(data.DataConfig("own", "image_folder", path=str(folder), task=task, **values))


@pytest.fixture
def masks(tmp_path):
    for i in range(8):
        save(tmp_path / "images" / f"{i}.png", picture(i, (6, 5, 3)))
        mask = picture(i) // 100
        mask[0, 0] = 255
        save(tmp_path / "masks" / f"{i}.png", mask)
    return tmp_path


def test_images_without_classes_are_their_own_targets(tmp_path):
    for i in range(8):
        save(tmp_path / ("a" if i % 2 else "b/c") / f"{i}.png", picture(i))
    save(tmp_path / ".hidden" / "x.png", picture(9))
    found = load(tmp_path, "reconstruction")
    assert (len(found.train), len(found.test)) == (6, 2)
    assert found.train.y is found.train.x
    everything = np.concatenate([found.train.x, found.test.x])[..., 0]
    ids = np.concatenate([found.train.source_ids, found.test.source_ids])
    order = [1, 3, 5, 7, 0, 2, 4, 6]  # of the paths
    for image, i in zip(everything, ids, strict=True):
        np.testing.assert_array_equal(image, picture(order[i]))


def test_masks_are_paired_by_name(masks):
    found = load(masks, "segmentation")
    assert found.spec.class_names == ("0", "1", "2")
    assert found.train.x.shape == (6, 6, 5, 3)
    for split in (found.train, found.test):
        for y, i in zip(split.y, split.source_ids, strict=True):
            expected = (picture(i) // 100).astype(int)
            expected[0, 0] = -1
            np.testing.assert_array_equal(y, expected)


def test_targets_are_pictures_and_parts_are_kept(tmp_path):
    for part, n in (("train", 3), ("val", 2), ("test", 1)):
        for i in range(n):
            save(tmp_path / part / "images" / f"{i}.png", picture([i, n]))
            save(tmp_path / part / "targets" / f"{i}.jpg.png", picture([i, n, 1], (6, 5, 3)))
    with pytest.raises(data.DataError, match="is in images and not in targets"):
        load(tmp_path, "reconstruction")
    for file in tmp_path.glob("*/targets/*"):
        file.rename(file.with_name(file.name.replace(".jpg", "")))
    found = load(tmp_path, "reconstruction")
    assert [len(s) for s in (found.train, found.validation, found.test)] == [3, 2, 1]
    assert found.spec.num_classes == 3
    np.testing.assert_array_equal(found.test.y[0], picture([0, 1, 1], (6, 5, 3)))


def test_all_are_resized_together(masks):
    found = load(masks, "segmentation", resize=12)
    assert found.test.x.shape[1:] == (12, 12, 3)
    assert found.test.y.shape[1:] == (12, 12)
    assert set(np.unique(found.test.y)) <= {-1, 0, 1, 2}


def test_another_mask_is_another_set(masks):
    cfg = data.DataConfig("own", "image_folder", path=str(masks), task="segmentation")
    before = data.fingerprint(cfg)
    save(masks / "masks" / "0.png", picture(99) // 100)
    assert data.fingerprint(cfg) != before


def lone_image(folder):
    save(folder / "images" / "lone.png", picture(1, (6, 5, 3)))


def large_mask(folder):
    save(folder / "masks" / "0.png", picture(1, (7, 5)) // 100)


def colour_mask(folder):
    save(folder / "masks" / "0.png", picture(1, (6, 5, 3)))


def one_class(folder):
    for file in (folder / "masks").iterdir():
        save(file, np.zeros((6, 5), np.uint8))


def another_size(folder):
    save(folder / "images" / "0.png", picture(1, (9, 9, 3)))


def no_masks(folder):
    for file in (folder / "masks").iterdir():
        file.unlink()
    (folder / "masks").rmdir()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lone_image, "lone is in images and not in masks"),
        (large_mask, "0.png is 7×5, and .*0.png 6×5"),
        (colour_mask, "is a colour image"),
        (one_class, "hold one class"),
        (another_size, "differ in size"),
        (no_masks, "no folders images and masks"),
    ],
)
def test_what_does_not_pair_is_named(masks, harm, why):
    harm(masks)
    with pytest.raises(data.DataError, match=why) as told:
        load(masks, "segmentation")
    assert "\n" not in str(told.value)
