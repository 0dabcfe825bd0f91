"""A class at every step, from the command to what it leaves: whole windows against a stream."""

import json
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data.builders import co2
from tests.helpers import only_run

TINY = ("model=causal_conv1d", "model.head=steps", "model.channels=4", "model.levels=2")
SHORT = ("data=co2", "data.examples=60", "trainer.epochs=3", "trainer.progress=false")


def results(run):
    return json.loads((run / "results.json").read_text())


def predictions(run):
    """By subset: what predictions.npz holds, a row a week."""
    with np.load(run / "predictions.npz", allow_pickle=False) as file:
        columns = {name: file[name] for name in file.files}
    return [
        {name: column[columns["subset"] == subset] for name, column in columns.items()}
        for subset in co2.SUBSETS
    ]


@pytest.mark.full
def test_a_causal_network_forecasts_a_stream_as_it_does_whole_windows(program):
    outcome = program(*TINY, *SHORT, "padding=causal")
    assert (outcome.code, outcome.err) == (0, "")
    window, stream = predictions(only_run())
    for column in ("source_id", "label", "predicted"):
        np.testing.assert_array_equal(window[column], stream[column])
    np.testing.assert_allclose(window["probability"], stream["probability"], atol=1e-5)
    assert len(set(window["source_id"])) == len(window["source_id"])
    assert len(set(stream["id"])) == len(stream["id"]) == co2.SCORED * len(set(window["id"]))
    found = results(only_run())
    by_subset, n = found["accuracy_by_subset"], len(window["label"])
    assert by_subset["window"] == by_subset["stream"]
    assert by_subset["window"] == {"accuracy": found["test_accuracy"], "n": n}
    assert (window["predicted"] == window["label"]).mean() == found["test_accuracy"]
    assert set(found["per_class_accuracy"]) == set(co2.CLASSES)


@pytest.mark.full
def test_same_reads_the_answer_in_a_window_and_not_in_a_stream(program):
    """One level is enough to see the next week: some 120 steps, seconds."""
    long = ("data.examples=320", "trainer.batch_size=32", "trainer.epochs=12")
    fast = ("model.channels=16", "model.levels=1", "optimizer.learning_rate=0.01")
    outcome = program(*TINY, *SHORT, *long, *fast, "padding=same")
    assert outcome.code == 0
    window, stream = predictions(only_run())
    np.testing.assert_array_equal(window["source_id"], stream["source_id"])
    np.testing.assert_array_equal(window["label"], stream["label"])
    found = results(only_run())["accuracy_by_subset"]
    assert found["window"]["accuracy"] > found["stream"]["accuracy"] + 0.3
    # Only the last step of a window sees no more of it than the stream does.
    last = np.arange(len(window["id"])) % co2.SCORED == co2.SCORED - 1
    np.testing.assert_array_equal(window["predicted"][last], stream["predicted"][last])
    shares = "   ".join(f"{name}: {100 * part['accuracy']:.1f} %" for name, part in found.items())
    assert shares in outcome.out
    events = EventAccumulator(str(only_run())).Reload()
    (scalar,) = events.Scalars("test/accuracy_on/stream")
    assert scalar.value == pytest.approx(found["stream"]["accuracy"])


@pytest.mark.full
def test_it_is_measured_again_to_the_same_numbers(program):
    program(*TINY, *SHORT, "padding=valid", "trainer.label_smoothing=0.1")
    run = only_run()
    outcome = program(f"evaluate={run}")
    assert (outcome.code, outcome.err) == (0, "")
    (again,) = (run / "evaluations").iterdir()
    found = json.loads(again.read_text())
    recorded = results(run)
    for name in ("test_accuracy", "accuracy_by_subset"):
        assert found[name] == recorded[name]
    outcome = program(f"evaluate={run}", "data=mnist1d")
    assert outcome.code == 2
    assert "the class of the last 32 steps; the data has that of an example" in outcome.err


@pytest.mark.full
def test_training_from_disk_gives_the_same_numbers(program):
    arguments = (*TINY, *SHORT, "padding=causal")
    assert program(*arguments, "study=held").code == 0
    assert program(*arguments, "study=streamed", "data.memory=1e-6").code == 0
    held, streamed = (next(Path("runs", s).glob("*/seed=0")) for s in ("held", "streamed"))
    for one, other in zip(predictions(held), predictions(streamed), strict=True):
        np.testing.assert_array_equal(one["probability"], other["probability"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("model=causal_conv1d", "data=co2"), "model=causal_conv1d model.head=steps"),
        (("model=tcn", "data=co2"), "model.head=steps"),
        ((*TINY, "data=mnist1d"), "the data has one class an example: model.head=average"),
        ((*TINY, "data=co2", "padding=valid", "model.levels=5"), "sequence that works has 125"),
        ((*TINY, "data=co2", "padding=valid", "model.kernel_size=13"), "at 24 of 96 steps"),
        (("model=small_cnn", "data=co2"), "small_cnn takes an image"),
        ((*TINY, "data=co2", "data.augment.flip=true"), "data.augment is for images"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(program, arguments, says):
    outcome = program(*arguments)
    assert outcome.code == 2
    assert says in outcome.err
    assert outcome.err.count("\n") == 1
    assert not Path("runs").exists()
