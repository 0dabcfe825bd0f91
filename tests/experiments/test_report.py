import csv
import json
from pathlib import Path

import pytest
from matplotlib.image import imread

from experiments.report import draw, main, read


def test_the_command_writes_what_the_runs_left(tiny, capsys):
    tiny("-m", "padding=same,valid", "seed=0,1")
    assert main(["runs/default", "--out", "kept"]) == 0
    stored = [
        json.loads((path / "results.json").read_text())
        for path in sorted(Path("runs/default").glob("*/seed=*"))
    ]
    with open("kept/runs.csv") as file:
        runs = list(csv.DictReader(file))
    assert [float(run["test_accuracy"]) for run in runs] == [r["test_accuracy"] for r in stored]
    assert [(run["padding"], run["seed"]) for run in runs] == [
        ("same", "0"), ("same", "1"), ("valid", "0"), ("valid", "1")
    ]  # fmt: skip
    with open("kept/curves.csv") as file:
        curves = list(csv.DictReader(file))
    assert [point["epoch"] for point in curves] == ["1", "2"] * 4
    assert imread("kept/curves.png").std() > 0.05
    report = Path("kept/report.md").read_text()
    assert report.splitlines()[4].startswith("| network | padding |")
    first, second = (100 * r["test_accuracy"] for r in stored[:2])
    row = next(line for line in report.splitlines() if "| same |" in line)
    mean, sd = (first + second) / 2, abs(first - second) / 2**0.5
    assert f"| 2 | {mean:.2f} ({sd:.2f}) | {first:.2f}, {second:.2f} |" in row
    assert "padding=same,valid seed=0,1`" in report
    with open("kept/differences.csv") as file:
        (compared,) = csv.DictReader(file)
    accuracies = [100 * r["test_accuracy"] for r in stored]
    points = [accuracies[2] - accuracies[0], accuracies[3] - accuracies[1]]
    assert float(compared["mean"]) == pytest.approx(sum(points) / 2)
    assert (compared["cell"], compared["baseline"], compared["n"]) == ("valid", "same", "2")
    assert compared["p"] == "", "two seeds can find nothing"
    assert f"| valid − same | 2 | {sum(points) / 2:+.2f} [" in report
    assert "data.data_dir" not in report, "a path of this machine"


def test_the_curves_are_those_of_the_metrics(tiny):
    tiny("seed=0")
    (runs,) = read(Path("runs/default")).values()
    (axis,) = draw([runs]).axes
    with open(next(Path("runs/default").glob("*/seed=0/metrics.csv"))) as file:
        training = [100 * float(row["accuracy"]) for row in csv.DictReader(file)]
    rows = {axis.get_subplotspec().rowspan.start for axis in draw([runs] * 6).axes}
    assert rows == {0, 1}
    assert len(draw([runs] * 6).axes) == 6
    assert axis.lines[0].get_ydata().tolist() == pytest.approx(training)
    assert axis.lines[2].get_ydata().tolist() == pytest.approx([runs[0].accuracy])


def test_an_empty_study_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path)])
    assert "holds no complete run" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_one_seed_is_reported_and_compares_nothing(tiny):
    tiny("-m", "padding=same,valid", "seed=0")
    assert main(["runs/default", "--out", "kept"]) == 0
    assert not Path("kept/differences.csv").exists()
    report = Path("kept/report.md").read_text()
    assert "valid: not compared, same has 1 of the 2 seeds that a comparison needs" in report
