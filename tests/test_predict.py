"""A finished run predicts from what is stored: the README's way, in Python and by command."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data
from conf.commandline import ROOT
from conf.schema import from_dict
from data import DataError, loading
from experiments import predict, terminal
from experiments.predict.__main__ import main
from experiments.predict.example_files import examples
from experiments.run.evaluation.classes import accuracies
from tests.helpers import only_run, slow

README = (ROOT.parent / "README.md").read_text()
SEQUENCES = (
    *("model=causal_conv1d", "padding=causal", "model.channels=4", "model.levels=2"),
    *("trainer.epochs=2", "data.examples=120", "trainer.progress=false"),
)


def npy(value) -> bytes:
    content = io.BytesIO()
    np.save(content, value)
    return content.getvalue()


def stored_test(run: Path) -> tuple[np.ndarray, data.Split]:
    """The test inputs of a run's data as they are stored, and the split."""
    cfg = from_dict(json.loads((run / "config.json").read_text())).data
    raw = loading.read(cfg, str(data.fingerprint(cfg)))[1]["test"]
    return raw.x, data.load(cfg).test


def test_the_readmes_snippet_gives_the_runs_test_accuracy(finished):
    run = finished
    (snippet,) = re.findall(r"```python\n([^`]*experiments.predict[^`]*)```", README)
    snippet = snippet.replace("path/to/padzoo", str(ROOT.parent))
    snippet = snippet.replace("runs/<study>/<cell>/seed=0", str(run))
    pixels, split = stored_test(run)
    found = {"pixels": pixels}
    exec(snippet, found)
    names = np.asarray(found["network"].class_names)
    recorded = json.loads((run / "results.json").read_text())["test_accuracy"]
    assert (found["names"] == names[split.y]).mean() == recorded
    with np.load(run / "predictions.npz") as stored:
        of_label = found["probabilities"][np.arange(len(split)), split.y]
        np.testing.assert_allclose(of_label, stored["probability"], rtol=1e-6)
        np.testing.assert_array_equal(found["probabilities"].argmax(axis=1), stored["predicted"])
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, rtol=1e-12)


@pytest.mark.full
@pytest.mark.parametrize(
    "overrides",
    [
        slow(("data=mnist1d", *SEQUENCES)),
        ("data=co2", "model.head=steps", *SEQUENCES),
        slow(("data=placed_digits", "data.resize=12", "data.sequence=true", *SEQUENCES)),
        ("data=placed_digits", "data.resize=16", "data.normalize=unit", "model.widths=[4]",
         "model.convs_per_stage=[1]", "trainer.epochs=1", "data.examples=120"),
    ],
)  # fmt: skip
def test_other_kinds_of_data_too(program, overrides):
    outcome = program(*overrides)
    assert outcome.code == 0, outcome.err
    run = only_run()
    stored, split = stored_test(run)
    network = predict.load(run)
    predicted = network.probabilities(stored).argmax(axis=-1)
    scored = split.y >= 0
    recorded = json.loads((run / "results.json").read_text())["test_accuracy"]
    right = {"label": split.y[scored], "predicted": predicted[scored]}
    if split.subset is not None:
        example = np.nonzero(scored)[0]
        right["subset"] = split.subset[example]
    assert accuracies(right, replace(data.load(
        from_dict(json.loads((run / "config.json").read_text())).data).spec)
    )["test_accuracy"] == recorded  # fmt: skip


def test_files_by_command(finished, tmp_path, capsys):
    pixels, _ = stored_test(finished)
    Image.fromarray(pixels[0, ..., 0]).save("grey.png")
    Image.fromarray(np.repeat(pixels[0], 3, axis=-1)).save("colour.png")
    Image.fromarray(pixels[0, ..., 0]).resize((50, 40)).save("large.png")
    np.save("one.npy", pixels[0])
    np.save("two.npy", pixels[:2])
    files = ["grey.png", "colour.png", "large.png", "one.npy", "two.npy"]
    assert main([str(finished), *files, "--top", "2"]) == 0
    grey, colour, said, large, one, first, second = capsys.readouterr().out.splitlines()
    name, best, next_best = grey.split("   ")
    network = predict.load(finished)
    (row,) = network.probabilities(pixels[:1])
    assert name == "grey.png"
    assert best == f"{network.class_names[row.argmax()]} {100 * row.max():.2f} %"
    assert next_best == f"{network.class_names[row.argsort()[-2]]} {100 * np.sort(row)[-2]:.2f} %"
    for line, label in ((colour, "colour.png"), (one, "one.npy"), (first, "two.npy[0]")):
        assert line == grey.replace("grey.png", label)
    assert said == "large.png is 40×50 and is resized to 32×32"
    assert large.startswith("large.png   ")
    assert second.startswith("two.npy[1]   ")


@pytest.fixture
def trained_on(program, tmp_path):
    """`trained_on(x, "data.resize=8")` trains on examples of two classes, and opens the network."""

    def train(x, *overrides):
        y = np.arange(len(x)) % 2
        np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x[:8], y_test=y[:8])
        outcome = program(
            f"data.path={tmp_path / 'own.npz'}", "data=npz", *overrides,
            *("model.widths=[4]", "model.convs_per_stage=[1]"),
            *("trainer.epochs=1", "trainer.batch_size=8", "trainer.progress=false"),
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        return predict.load(only_run())

    return train


def told(file, network):
    """The probabilities of a file's examples."""
    names, stored = examples(Path(file), network)
    found = network.of_stored(stored)
    assert len(names) == len(found)
    return list(found)


RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (40, 12, 12, 1), np.uint8)


@pytest.mark.full
def test_one_example_is_one_whatever_its_form(trained_on):
    network = trained_on(GREY, "data.resize=8")
    Image.fromarray(GREY[3, ..., 0]).save("3.png")
    np.save("hw.npy", GREY[3, ..., 0])
    np.save("hwc.npy", GREY[3])
    np.save("n.npy", GREY[3:5, ..., 0])
    expected = network.probabilities(GREY[3:4])[0]
    for file in ("3.png", "hw.npy", "hwc.npy"):
        (found,) = told(file, network)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert len(told("n.npy", network)) == 2
    with pytest.raises(DataError, match="several along the first axis; got an array of 12×12×1"):
        network.probabilities(GREY[3])


@pytest.mark.full
def test_channels_first_is_for_arrays_and_not_for_image_files(trained_on):
    colour = RNG.integers(0, 256, (40, 3, 12, 12), np.uint8)
    network = trained_on(colour, "data.layout=channels_first")
    Image.fromarray(np.moveaxis(colour[3], 0, -1)).save("3.png")
    np.save("one.npy", colour[3])
    expected = network.probabilities(colour[3:4])[0]
    for file in ("3.png", "one.npy"):
        np.testing.assert_allclose(told(file, network)[0], expected, rtol=1e-6)
    with pytest.raises(DataError, match=r"takes examples of 3×12×12 \(channels first\)"):
        network.probabilities(np.moveaxis(colour[:2], 1, -1))


def test_image_files_are_refused_where_the_data_are_in_other_units(trained_on):
    network = trained_on((GREY / 255).astype(np.float32), "data.resize=8")
    Image.fromarray(GREY[0, ..., 0]).save("0.png")
    with pytest.raises(DataError, match="the run's data are float32 in other units"):
        told("0.png", network)
    np.save("0.npy", (GREY[0] / 255).astype(np.float32))
    assert len(told("0.npy", network)) == 1


def test_an_array_of_fractions_for_pixels_is_told(trained_on, capsys):
    network = trained_on(GREY)
    np.save("0.npy", GREY[0] / 255)
    told("0.npy", network)
    said = "0.npy: no value is above 1, but the run's data range from 0 to 255\n"
    assert capsys.readouterr().out == said


@pytest.mark.slow
def test_another_shape_of_as_many_pixels_is_refused(program):
    outcome = program("data=placed_digits", "data.sequence=true", "data.resize=null", *SEQUENCES)
    assert outcome.code == 0, outcome.err
    network = predict.load(only_run())
    assert network.stored_shape == (32, 32, 1)
    with pytest.raises(DataError, match="takes examples of 32×32×1"):
        network.probabilities(np.zeros((2, 16, 64, 1), np.uint8))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("class_names", None, "does not contain names for the 10 classes"),
        ("class_names", ["a", "b"], "does not contain names for the 10 classes"),
        ("std", [-1.0], "std holds a number that is not positive"),
        ("mean", [0.0, 1.0], "not lists with one number"),
    ],
)
def test_damaged_statistics_are_named(finished, capsys, key, value, why):
    file = finished / "data.json"
    content = json.loads(file.read_text()) | {key: value}
    file.write_text(json.dumps(content))
    assert main([str(finished), "a.png"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {file} cannot be read: ")
    assert why in said


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("a.png", b"not a picture", "a.png cannot be read as an image"),
        ("a.npy", b"", "a.npy cannot be read"),
        ("a.txt", b"1", "a.txt: only images (.png"),
        ("text.npy", npy("text"), "text.npy does not hold numbers"),
        ("empty.npy", npy(np.zeros((0, 32, 32))), "empty.npy does not hold numbers"),
        ("nan.npy", npy(np.full((32, 32), np.nan)), "nan.npy: the inputs hold NaN"),
        ("number.npy", npy(1.0), "number.npy"),
        ("missing.png", None, "missing.png"),
        ("missing.npy", None, "missing.npy"),
    ],
)
def test_what_is_no_example_is_one_line(finished, capsys, file, content, message):
    if content is not None:
        Path(file).write_bytes(content)
    code = terminal.call(lambda _: main([str(finished), file]))
    said = capsys.readouterr()
    assert (code, said.err.count("\n")) == (2, 1)
    assert said.err.startswith("error: ")
    assert message in said.err


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path), "a.png"]) == 2
    assert "is not a finished run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((3, 31, 32, 1), "u1"),
        ((3, 32, 32, 3), "u1"),
        ((32,), "u1"),
        ((0, 32, 32), "f4"),
        ((2, 32, 32), "U1"),
    ],
)
def test_examples_that_do_not_fit_are_refused(finished, shape, dtype):
    with pytest.raises(DataError, match="takes examples of 32×32×1|examples must be numbers"):
        predict.load(finished).predict(np.zeros(shape, dtype))


def test_values_that_are_not_finite_are_refused(finished):
    with pytest.raises(DataError, match="NaN, infinity"):
        predict.load(finished).predict(np.full((1, 32, 32), np.nan))


@pytest.mark.parametrize("option", [("--out", "here"), ("--tile", "64")])
def test_what_is_for_images_is_refused_for_classes(finished, capsys, option):
    assert main([str(finished), "a.png", *option]) == 2
    said = capsys.readouterr().err
    assert said == f"error: {option[0]} is for images; the network of {finished} gives classes\n"
