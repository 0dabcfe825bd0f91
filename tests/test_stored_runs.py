"""What an earlier version stored is still found, resumed, reported and loaded.

The runs are those of tests/stored_runs, whose README.md says how they came to be. The tests go
through the command line alone, and repeat the commands that the runs have recorded.
"""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.helpers import environment, full, thinned

KEPT = Path(__file__).resolve().parent / "stored_runs"
CHECKOUT = KEPT.parents[1]
STUDY, INTERRUPTED = Path("studies/stored"), Path("studies/interrupted")
REPORT = ("-m", "experiments.report")
PLAN = json.loads((KEPT / STUDY / "study.json").read_text())
RUNS = sorted(str(f.parent.relative_to(KEPT)) for f in KEPT.glob(f"{STUDY}/*/*/results.json"))
STOPPED = sorted(str(f.parent.relative_to(KEPT)) for f in KEPT.glob("studies/*/*/*/checkpoint.npz"))

# Loads every network that is stored, as the README says, and prints what is wrong with them.
LOADING = """
{readme}
import json
from pathlib import Path
import numpy as np

def apart(name, found, stored):
    error = float(np.abs(found - stored).max() / max(1, np.abs(stored).max()))
    print(name, "far" if error > 1e-5 else "near", error)

for path in sorted(Path("networks").glob("*.keras")):
    with np.load(path.with_suffix(".npz")) as file:
        x, y = file["x"].astype("float32"), file["y"]
    apart(path, np.asarray(keras.saving.load_model(path)(x, training=False)), y)
with np.load("data/images.npz") as file:
    x, label = file["x_test"].astype("float64"), file["y_test"]
for path in sorted(Path("studies/stored").glob("*/*/model.keras")):
    learned = json.loads((path.parent / "data.json").read_text())
    inputs = ((x - learned["mean"]) / learned["std"]).astype("float32")
    logits = np.asarray(keras.saving.load_model(path)(inputs, training=False), "float64")
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    with np.load(path.parent / "predictions.npz") as file:
        apart(path, share[np.arange(len(label)), label], file["probability"])
"""


@pytest.fixture
def stored(tmp_path) -> Path:
    """The folder that `program` runs in, with the stored runs in it."""
    return shutil.copytree(KEPT, tmp_path, dirs_exist_ok=True)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, env=environment()
    )


def read(path: Path):
    return json.loads(path.read_text())


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def close(found: dict[str, str], stored: dict[str, str], names: Iterable[str], **by: float):
    """The named values of two rows agree: numbers within tolerances, text as it is."""
    for name in names:
        try:
            expected = pytest.approx(float(stored[name]), **by)
        except ValueError:
            assert found[name] == stored[name], name
        else:
            assert float(found[name]) == expected, name


def same_rows(found: Path, stored: Path) -> None:
    """Every stored row and value is there, numbers to 1e-9; columns may have been added."""
    for here, there in zip(rows(found), rows(stored), strict=True):
        close(here, there, there, rel=1e-9, abs=1e-9)


def changed(folder: Path, study: Path = STUDY) -> list[str]:
    """The stored files of a study's runs that are gone or hold something else."""
    files = [f.relative_to(KEPT) for f in (KEPT / study).glob("*/seed=*/*") if f.is_file()]
    assert files
    return [
        str(f)
        for f in files
        if not (folder / f).is_file() or (folder / f).read_bytes() != (KEPT / f).read_bytes()
    ]


def known(cell: dict) -> tuple:
    """What a plan says of a cell, whichever sources and folders it was planned with."""
    return cell["padding"], cell["seeds"], cell["alias_of"]


def arguments(command: str) -> list[str]:
    """What a recorded command gave to train.py."""
    program, script, *given = shlex.split(command)
    assert (program, script) == ("python", "train.py")
    return given


def test_the_stored_runs_are_there():
    assert len(RUNS) == 6
    assert len(STOPPED) == 2


@pytest.mark.parametrize("padding", ["same", full("reflect")])
def test_the_command_of_a_complete_run_finds_it_at_once(stored, padding):
    (name,) = (n for n, cell in PLAN["cells"].items() if cell["padding"] == padding)
    overrides = PLAN["cells"][name]["overrides"]
    ended = python(str(CHECKOUT / "train.py"), *overrides, "seed=1", cwd=stored)
    assert ended.returncode == 0, ended.stderr
    run = STUDY / name / "seed=1"
    assert f"complete: {run} " in ended.stdout
    assert f"{100 * read(KEPT / run / 'results.json')['test_accuracy']:.2f} %" in ended.stdout
    assert "epoch " not in ended.stdout
    assert changed(stored) == []
    assert len(list(stored.glob("studies/stored/*/seed=*"))) == len(RUNS)


def test_the_command_of_a_complete_sweep_trains_nothing(stored, program):
    (command,) = PLAN["commands"]
    outcome = program(*arguments(command))
    assert outcome.code == 0, outcome.err
    assert "6 runs, 6 of them complete; 1 cell computes the same" in outcome.out
    assert changed(stored) == []
    cells = read(stored / STUDY / "study.json")["cells"]
    assert [(name, known(cell)) for name, cell in cells.items()] == [
        (name, known(cell)) for name, cell in PLAN["cells"].items()
    ]


@pytest.mark.full
def test_a_seed_added_to_a_study_joins_the_runs_that_are_there(stored, program):
    """It is asked for under the name of an alias, and runs in the cell that stands for it."""
    (alias,) = (cell for cell in PLAN["cells"].values() if cell["alias_of"])
    outcome = program("-m", *alias["overrides"], "seed=3")
    assert outcome.code == 0, outcome.err
    assert "1 run, 0 of them complete" in outcome.out
    added = STUDY / alias["alias_of"] / "seed=3"
    assert read(stored / added / "status.json")["status"] == "COMPLETED"
    assert changed(stored) == []
    assert len(list(stored.glob("studies/stored/*/seed=*"))) == len(RUNS) + 1
    plan = read(stored / STUDY / "study.json")
    assert plan["commands"][0] == PLAN["commands"][0]
    assert PLAN["declared"].items() <= plan["declared"].items()
    seeds = {cell["padding"]: cell["seeds"] for cell in plan["cells"].values()}
    assert (seeds["same"], seeds["reflect"]) == ([0, 1, 2, 3], [0, 1, 2])
    reported = {(row["padding"], row["seed"]) for row in rows(stored / STUDY / "report/runs.csv")}
    assert reported == {("same", s) for s in "0123"} | {("reflect", s) for s in "012"}


@pytest.mark.full
@pytest.mark.parametrize("run", thinned(STOPPED, 2))
def test_an_interrupted_run_goes_on_where_it_was(stored, program, run):
    (start,) = read(KEPT / run / "meta.json")["starts"]
    before = (KEPT / run / "metrics.csv").read_text().splitlines()
    done = len(before) - 1
    outcome = program(*arguments(start["command"]))
    assert outcome.code == 0, outcome.err
    directory = stored / run
    # The rows hold the time of day: an epoch trained again would have another.
    assert (directory / "metrics.csv").read_text().splitlines()[: done + 1] == before
    assert read(directory / "status.json")["status"] == "COMPLETED"
    assert not (directory / "checkpoint.npz").exists()
    starts = read(directory / "meta.json")["starts"]
    assert (starts[0], len(starts)) == (start, 2)
    whole = KEPT / "expected" / f"uninterrupted-{directory.name}.csv"
    learned = ("epoch", "step", "loss", "validation_loss", "learning_rate")
    for found, alone in zip(rows(directory / "metrics.csv"), rows(whole), strict=True):
        # Another processor rounds otherwise: not the same bits, but the same course.
        close(found, alone, learned, rel=1e-3)


@pytest.mark.full
def test_a_stored_study_is_reported_with_the_same_numbers(stored):
    ended = python(*(*REPORT, str(stored / STUDY), "--out", str(stored / "report")), cwd=CHECKOUT)
    assert ended.returncode == 0, ended.stderr
    assert "same, also half" in ended.stdout
    for name in ("differences.csv", "runs.csv"):
        same_rows(stored / "report" / name, KEPT / "expected" / name)
    shares = {
        (row["cell"], row["seed"]): float(row["test_accuracy"])
        for row in rows(stored / "report" / "runs.csv")
    }
    for run in map(Path, RUNS):
        seed = run.name.removeprefix("seed=")
        assert shares[run.parent.name, seed] == read(KEPT / run / "results.json")["test_accuracy"]
    assert changed(stored) == []


def test_a_stored_run_is_measured_again_to_the_same_accuracy(stored, program):
    run = RUNS[-1]
    outcome = program(f"evaluate={run}")
    assert outcome.code == 0, outcome.err
    accuracy = read(KEPT / run / "results.json")["test_accuracy"]
    assert f"test accuracy on npz: {100 * accuracy:.2f} %" in outcome.out
    (evaluation,) = (stored / run / "evaluations").iterdir()
    assert read(evaluation)["test_accuracy"] == pytest.approx(accuracy)
    assert changed(stored) == []


def test_stored_networks_load_as_the_readme_says_and_answer_as_they_did(stored):
    blocks = re.findall(r"```python\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)
    (block,) = (block for block in blocks if "load_model(" in block)
    imports, _ = block.split("model = keras.")
    (stored / "padzoo").symlink_to(CHECKOUT / "models")
    ended = python("-c", LOADING.format(readme=imports), cwd=stored)
    assert ended.returncode == 0, ended.stderr[-3000:]
    told = [line.split() for line in ended.stdout.splitlines()]
    networks = [*KEPT.glob("networks/*.keras"), *KEPT.glob("studies/*/*/*/model.keras")]
    assert sorted(name for name, *_ in told) == sorted(str(n.relative_to(KEPT)) for n in networks)
    assert [line for line in told if line[1] != "near"] == []
