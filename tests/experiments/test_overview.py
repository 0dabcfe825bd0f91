import pytest
from matplotlib.image import imread

from conf import schema
from experiments import files, overview
from models.padding import NAMED


@pytest.fixture
def study(tmp_path):
    base = {
        "model": {"name": "small_cnn"},
        "data": {"name": "placed_digits", "source": "built"},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "trainer": {},
    }
    for name in ("same", "reflect"):
        padding = {"amount": NAMED[name].amount, "mode": NAMED[name].mode}
        for seed in (0, 1):
            config = schema.from_dict({**base, "padding": padding, "seed": seed})
            run = tmp_path / f"cell-{name}" / f"seed={seed}"
            accuracy = {"same": 0.9, "reflect": 0.8}[name] + seed / 100
            files.write_json(run / "config.json", config.to_dict())
            files.write_json(run / "results.json", {"test_accuracy": accuracy})
            files.write_json(run / "status.json", {"status": "COMPLETED"})
    return tmp_path


def test_only_complete_runs_are_collected(study):
    files.write_json(study / "cell-same" / "seed=1" / "status.json", {"status": "RUNNING"})
    found = overview.collect(study)
    assert found == {
        ("small_cnn", "placed_digits"): {
            "same": [pytest.approx(90.0)],
            "reflect": [pytest.approx(80.0), pytest.approx(81.0)],
        }
    }


def test_a_run_that_cannot_be_read_is_left_out(study):
    (study / "cell-same" / "seed=0" / "config.json").write_text('{"of": "another version"}')
    (study / "cell-same" / "seed=1" / "results.json").write_text("{")
    assert list(overview.collect(study)["small_cnn", "placed_digits"]) == ["reflect"]


def test_the_picture_shows_every_seed(study):
    (axis,) = overview.draw(overview.collect(study)).axes
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels == ["same\nn=2", "reflect\nn=2"]
    dots = [line.get_ydata().tolist() for line in axis.lines]
    assert dots == [pytest.approx([90.0, 91.0]), pytest.approx([80.0, 81.0])]


def on_jax(run):
    """The same run as if JAX had trained it: another cell."""
    copy = run.parents[1] / f"{run.parent.name}-0a1b2c3d" / run.name
    for file in ("config.json", "results.json", "status.json"):
        content = files.read_json(run / file)
        if file == "config.json":
            content["backend"] = "jax"
        files.write_json(copy / file, content)


def test_back_ends_are_told_apart_by_name(study):
    on_jax(study / "cell-same" / "seed=0")
    (cells,) = overview.collect(study).values()
    assert cells == {
        "same, tensorflow": [pytest.approx(90.0), pytest.approx(91.0)],
        "same, jax": [pytest.approx(90.0)],
        "reflect, tensorflow": [pytest.approx(80.0), pytest.approx(81.0)],
    }
    (axis,) = overview.draw(overview.collect(study)).axes
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert "same\njax\nn=1" in labels


def test_cells_of_one_name_on_one_back_end_carry_their_digest_too(study):
    on_jax(study / "cell-same" / "seed=0")
    other = study / "cell-reflect-0d1e2f3a" / "seed=0"
    for file in ("config.json", "results.json", "status.json"):
        files.write_json(other / file, files.read_json(study / "cell-reflect" / "seed=0" / file))
    (cells,) = overview.collect(study).values()
    assert "reflect 0d1e2f3a, tensorflow" in cells
    assert "same, tensorflow" in cells


def test_it_is_written_as_a_file_and_once_for_tensorboard(study):
    overview.write(study)
    assert overview.write(study) == study / "accuracy.png"
    assert imread(study / "accuracy.png").std() > 0.05
    assert len(list((study / "_summary").glob("events*"))) == 1


def test_an_empty_study_has_no_picture(tmp_path):
    assert overview.write(tmp_path) is None
