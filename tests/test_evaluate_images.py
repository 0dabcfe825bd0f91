"""`evaluate=` of networks that give images: their own measure, on their own or on other data."""

import json

import numpy as np
import pytest

from data.tasks import TASKS
from tests.image_runs import GREY, KINDS, MASKS, SETS, copied, npz, read, trained


@pytest.fixture
def run(program, shared):
    """`run("segmentation")` gives each test a run of its own in the empty current folder."""
    return lambda kind: copied(trained(program, shared, kind), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_gives_the_runs_own_measure(run, program, kind):
    place = run(kind)
    recorded = read(place, "results.json")
    outcome = program(f"evaluate={place}")
    assert outcome.code == 0, outcome.err
    (file,) = place.glob("evaluations/npz*.json")
    found = json.loads(file.read_text())
    task = TASKS[read(place, "config.json")["task"]]
    assert found[f"test_{task.measure}"] == recorded[f"test_{task.measure}"]
    assert found["error_by_distance"] == recorded["error_by_distance"]
    value = task.told(recorded[f"test_{task.measure}"])
    _, first, rings, again, its_rings, _ = outcome.out.splitlines()
    assert first == f"test {task.label} on npz: {value}"
    assert again == f"recorded by the run on npz: {value}"
    assert rings == its_rings
    assert rings.startswith(f"  by border, px: {task.error}   ")


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_takes_other_data_in_the_units_of_the_training(run, program, tmp_path, kind):
    """The same test images, among training images of another mean and sd."""
    place = run(kind)
    x, y, _ = SETS[kind]
    x = np.concatenate([x[:32] // 2, x[32:]])
    if y is not None and y.ndim == 4:
        y = np.concatenate([y[:32] / 2, y[32:]])
    path = npz(tmp_path / "other.npz", x, y)
    outcome = program(f"evaluate={place}", "data=npz", "data.name=other", f"data.path={path}")
    assert outcome.code == 0, outcome.err
    (file,) = place.glob("evaluations/other*.json")
    found, recorded = json.loads(file.read_text()), read(place, "results.json")
    measure = f"test_{TASKS[read(place, 'config.json')['task']].measure}"
    assert found[measure] == pytest.approx(recorded[measure], rel=1e-4)
    errors, its = ([r["error"] for r in e["error_by_distance"]] for e in (found, recorded))
    assert errors == pytest.approx(its, rel=1e-4)
    assert "test " in outcome.out and " on other: " in outcome.out


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (
            GREY[:, :20, :20],
            MASKS[:, :20, :20],
            "the model takes (24, 24, 1) and gives images with",
        ),
        (GREY, np.minimum(MASKS, 1), "with target images with classes: 2"),
        (GREY, None, "lacks y_train, y_test"),
        (GREY, np.arange(40) % 3, "does not pair with x_train"),
        (GREY[:, 0], np.arange(40) % 3, "does not pair with x_train"),
        (GREY, np.where(np.arange(40)[:, None, None] < 32, MASKS, -1), "no pixel of the test"),
    ],
)
def test_evaluate_refuses_data_that_does_not_fit(run, program, tmp_path, x, y, says):
    place = run("segmentation")
    path = npz(tmp_path / "other.npz", x, y)
    outcome = program(f"evaluate={place}", "data=npz", f"data.path={path}")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert says in outcome.err
    assert not (place / "evaluations").exists()


def test_evaluate_refuses_sequences(run, program):
    outcome = program(f"evaluate={run('segmentation')}", "data=mnist1d")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "mnist1d is not a set for task=segmentation" in outcome.err
