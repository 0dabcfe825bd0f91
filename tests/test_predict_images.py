"""Finished runs of networks that give images predict from what is stored: in Python, by command."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import DataError
from data.sources import image_files
from data.transforms import resize_images
from experiments import predict, terminal
from experiments.predict.__main__ import main
from tests.helpers import full
from tests.image_runs import GREY, KINDS, RNG, SETS, SIDE, TARGETS, copied, trained


@pytest.fixture
def run(program, shared):
    """`run("segmentation")` gives each test a run of its own in the empty current folder."""
    return lambda kind: copied(trained(program, shared, kind), kind)


def small(x: np.ndarray) -> np.ndarray:
    """The inputs of super-resolution, as the data stores them."""
    return resize_images(x, (x.shape[1] // 2, x.shape[2] // 2))


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_predicts_what_it_was_tested_with(run, kind):
    place = run(kind)
    network = predict.load(place)
    stored = small(GREY[32:]) if kind == "super_resolution" else GREY[32:]
    found = network.predict(stored)
    with np.load(place / "predictions.npz") as kept:
        np.testing.assert_array_equal(found[kept["shown"]], kept["shown_predicted"])
        (top, tall), (left, wide) = network.frame(*stored.shape[1:3])
        assert [top, left, *network.whole(*stored.shape[1:3])] == list(kept["shown_frame"])
        assert found.shape[1:3] == (tall, wide)
        if kind == "reconstruction":
            own = np.abs(found - TARGETS[32:]).mean(axis=(1, 2, 3))
            np.testing.assert_allclose(own, kept["value"], rtol=1e-5)
    if network.class_names:
        probabilities = network.probabilities(stored)
        assert network.class_names == ("0", "1", "2")
        assert found.dtype == np.int32
        np.testing.assert_array_equal(probabilities.argmax(axis=-1), found)
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-12)
    else:
        with pytest.raises(DataError, match="gives values, no probabilities"):
            network.probabilities(stored)


@pytest.mark.full
def test_an_image_of_another_size_is_predicted_as_part_of_it_is(run):
    """Beyond three pixels from the border this network reads the image alone."""
    network = predict.load(run("super_resolution"))
    image = RNG.integers(0, 256, (2, 21, 17, 1)).astype(np.uint8)
    whole = network.predict(image)
    assert whole.shape == (2, 42, 34, 1)
    assert network.frame(21, 17) == ((0, 42), (0, 34))
    part = network.predict(image[:, 5:17, 2:14])
    np.testing.assert_allclose(whole[:, 16:28, 10:22], part[:, 6:-6, 6:-6], rtol=1e-4)
    np.testing.assert_allclose(network.predict(image, tile=12), whole, rtol=1e-4)


@pytest.mark.full
def test_a_size_or_a_tile_that_does_not_fit_is_one_line(run, capsys):
    place = run("valid")
    network = predict.load(place)
    assert network.frame(31, 40) == ((8, 16), (8, 24))
    assert network.predict(np.zeros((1, 31, 40), np.uint8)).shape == (1, 16, 24)
    Image.fromarray(GREY[0, :12, :12, 0]).save("12.png")
    assert main([str(place), "12.png"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: 12.png: the network takes no images of 12×12: unet ")
    assert said.count("\n") == 1
    Image.fromarray(GREY[0, ..., 0]).save("24.png")
    assert main([str(place), "24.png", "--tile", "3"]) == 2
    assert "24.png: A tile must have at least" in capsys.readouterr().err
    assert not list(Path().glob("*-predicted*"))


@pytest.mark.full
def test_an_image_keeps_its_size_where_the_runs_were_resized(run, capsys):
    place = run("resized")
    found = predict.load(place).predict(resize_images(GREY[32:], 12))
    with np.load(place / "predictions.npz") as kept:
        np.testing.assert_array_equal(found[kept["shown"]], kept["shown_predicted"])
    Image.fromarray(GREY[0, ..., 0]).save("a.png")
    assert main([str(place), "a.png"]) == 0
    said, _, written = capsys.readouterr().out.splitlines()
    assert said == (
        "a.png is predicted at its own size, 24×24; the run's images were resized to 12×12"
    )
    assert written == "a.png   24×24, written to a-predicted.png"
    assert image_files.indices(Path("a-predicted.png")).shape == (24, 24)


def test_masks_by_command(run, capsys):
    place = run("segmentation")
    masks = predict.load(place).predict(GREY[:3])
    large = predict.load(place).predict(np.tile(GREY[:1], (1, 2, 1, 1)))
    Image.fromarray(GREY[0, ..., 0]).save("a.png")
    Image.fromarray(np.tile(np.repeat(GREY[0], 3, axis=-1), (2, 1, 1))).save("large.bmp")
    np.save("b.npy", GREY[:3])
    np.save("c.npy", GREY[0, ..., 0])
    assert main([str(place), "a.png", "large.bmp", "b.npy", "c.npy", "--out", "new/here"]) == 0
    lines = capsys.readouterr().out.splitlines()
    classes, counts = np.unique(masks[0], return_counts=True)
    best = np.argsort(-counts, kind="stable")[:3]
    shares = "   ".join(f"{classes[i]} {100 * counts[i] / SIDE**2:.2f} %" for i in best)
    assert lines[0] == f"a.png   {shares}"
    assert lines[1] == "a.png   24×24, written to new/here/a-predicted.png"
    assert lines[3] == "large.bmp   48×24, written to new/here/large-predicted.png"
    assert lines[4] == f"b.npy[0]   {shares}"
    with Image.open("new/here/a-predicted.png") as image:
        assert image.mode == "P"
        assert image.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
    # As data=image_folder reads them.
    np.testing.assert_array_equal(image_files.indices(Path("new/here/a-predicted.png")), masks[0])
    np.testing.assert_array_equal(
        image_files.indices(Path("new/here/large-predicted.png")), large[0]
    )
    np.testing.assert_array_equal(np.load("new/here/b-predicted.npy"), masks)
    np.testing.assert_array_equal(np.load("new/here/c-predicted.npy"), masks[0])


@pytest.mark.full
def test_pictures_by_command(run, capsys):
    place = run("super_resolution")
    expected = predict.load(place).predict(GREY[:1])[0]
    Image.fromarray(GREY[0, ..., 0]).save("a.png")
    np.save("b.npy", GREY[0])
    assert main([str(place), "a.png", "b.npy"]) == 0
    assert "a.png   48×48, written to a-predicted.png\n" in capsys.readouterr().out
    with Image.open("a-predicted.png") as image:
        assert image.mode == "L"
        rounded = np.clip(np.round(expected[..., 0]), 0, 255)
        np.testing.assert_array_equal(np.asarray(image), rounded)
    np.testing.assert_array_equal(np.load("b-predicted.npy"), expected)


@pytest.mark.full
def test_a_prediction_in_other_units_is_an_array(run):
    place = run("reconstruction")
    Image.fromarray(GREY[33, ..., 0]).save("a.png")
    assert main([str(place), "a.png"]) == 0
    found = np.load("a-predicted.npy")
    np.testing.assert_array_equal(found, predict.load(place).predict(GREY[33:34])[0])
    assert np.abs(found - TARGETS[33]).mean() < 400


@pytest.mark.full
def test_channels_come_where_the_run_has_them(run):
    place, colour = run("colour"), SETS["colour"][0]
    network = predict.load(place)
    found = network.predict(colour[32:])
    with np.load(place / "predictions.npz") as kept:
        shown = np.moveaxis(kept["shown_predicted"], -1, 1)
        np.testing.assert_array_equal(found[kept["shown"]], shown)
    np.save("a.npy", colour[:2])
    Image.fromarray(np.moveaxis(colour[0], 0, -1)).save("b.png")
    assert main([str(place), "a.npy", "b.png"]) == 0
    np.testing.assert_array_equal(np.load("a-predicted.npy"), network.predict(colour[:2]))
    picture = np.clip(np.round(np.moveaxis(network.predict(colour[:1])[0], 0, -1)), 0, 255)
    with Image.open("b-predicted.png") as image:
        np.testing.assert_array_equal(np.asarray(image), picture)
    with pytest.raises(DataError, match=r"takes examples of 3×any×any \(channels first\)"):
        network.predict(np.moveaxis(colour[:2], 1, -1))


def test_no_input_is_written_over(run, capsys):
    place = run("segmentation")
    Path("other").mkdir()
    for file in ("a.png", "a-predicted.png", "other/a.png"):
        Image.fromarray(GREY[0, ..., 0]).save(file)
    before = Path("a-predicted.png").read_bytes()
    assert main([str(place), "a.png", "a-predicted.png"]) == 2
    said = capsys.readouterr().err
    assert "the prediction of a.png would be written over a-predicted.png" in said
    assert main([str(place), "a.png", "other/a.png"]) == 2
    said = capsys.readouterr().err
    assert "a.png and other/a.png would both be written to a-predicted.png" in said
    assert Path("a-predicted.png").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (GREY[:1, ..., [0, 0, 0]], "takes examples of any×any×1"),
        (GREY[0][..., [0, 0, 0]], "takes examples of any×any×1"),
        (np.full((24, 24), np.nan), "the inputs hold NaN"),
        (np.zeros((0, 24, 24)), "does not hold numbers"),
    ],
)
def test_what_is_no_image_for_the_network_is_one_line(run, capsys, file, says):
    place = run("segmentation")
    np.save("a.npy", file)
    assert terminal.call(lambda _: main([str(place), "a.npy"])) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not Path("a-predicted.npy").exists()


@pytest.mark.parametrize(
    ("kind", "key", "value", "says"),
    [
        ("segmentation", "class_names", ["a"], "does not contain names for the 3 classes"),
        full("reconstruction", "target_std", [-1.0], "target_std holds a number that is not pos"),
        full("reconstruction", "target_mean", None, "target_mean and target_std are not"),
        full("reconstruction", "target_mean", [0.0, 1.0], "target_mean and target_std are not"),
        full("reconstruction", "target_range", "wide", "target_range is not a number"),
    ],
)
def test_damaged_statistics_are_named(run, capsys, kind, key, value, says):
    place = run(kind)
    file = place / "data.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    assert main([str(place), "a.png"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {file} cannot be read: ")
    assert says in said
