"""The padding benchmark: its cases, its command line, its tables and its picture."""

import csv
import importlib.util

import pytest

from experiments.benchmarks.padding import __main__ as padding
from experiments.benchmarks.padding import padding_cases, padding_plot, padding_report
from experiments.benchmarks.padding.padding_cases import CONTROL, OTHERS
from experiments.benchmarks.padding.triplets import Measured
from experiments.report.pages.document import markdown
from models.padding.supports import supports
from tests.helpers import slow


def rows_of(case, ratios):
    measured = {label: Measured([2 * r for r in of], [2.0] * 3) for label, of in ratios.items()}
    return padding_report.rows(case, 4, measured)


@pytest.fixture
def rows():
    case = next(case for case in padding_cases.models() if case.kind == "vgg16")
    return rows_of(
        case, {CONTROL: [0.9, 1.0, 1.2], "reflect": [1.0, 1.05, 1.3], "mean": [1.1, 1.2, 1.4]}
    )


def test_every_mode_is_measured_in_layers_and_networks_and_every_padding_is_possible():
    cases = [*padding_cases.layers(), *padding_cases.models()]
    labels: dict[str, set[str]] = {}
    for case in cases:
        labels.setdefault(case.table, set()).update(v.label for v in case.variants)
    assert labels["layers, same"] == labels["models, same"] == {CONTROL, *OTHERS}
    causal = {CONTROL, "constant", "replicate", "learned", "partial"}
    assert labels["layers, causal"] == labels["models, causal"] == causal
    assert len(labels) == 5 and len({(case.table, case.name) for case in cases}) == len(cases)
    for case in cases:
        kind = case.kind if case.is_layer else "Conv1D" if len(case.shape) == 3 else "Conv2D"
        for side in (case.reference, *case.variants):
            assert supports(side.padding.amount, side.padding.mode, kind) is None


def test_only_the_modes_that_were_asked_for():
    for case in padding_cases.models(["mean"]):
        modes = {v.label for v in case.variants}
        assert modes == ({CONTROL} if "causal" in case.table else {CONTROL, "mean"})
    (case, *_) = padding_cases.pytorch(["reflect", "mean"])
    assert [v.label for v in case.variants] == [CONTROL, "reflect"]


def test_a_row_holds_the_median_of_ratios_and_its_quartiles(rows):
    reflect = rows[1]
    assert (reflect["ratio_q1"], reflect["ratio"], reflect["ratio_q3"]) == (1.025, 1.05, 1.175)
    assert (reflect["milliseconds"], reflect["its_milliseconds"]) == (2100, 2000)


def test_the_goal_is_marked_for_networks_and_not_for_the_control(rows):
    text = markdown(padding_report.tables(rows, 1.05))
    assert "| zeros again | 1.00 [0.95, 1.10] |\n" in text
    assert "| reflect | 1.05 [1.02, 1.18] ✓ |\n" in text
    assert "| mean | 1.20 [1.15, 1.30] ✗ |\n" in text
    assert "✗" not in markdown(padding_report.tables(rows, None))


def test_a_case_without_a_mode_has_a_dash(rows):
    causal = next(case for case in padding_cases.models() if "causal" in case.table)
    both = [
        *rows,
        *({**row, "table": rows[0]["table"]} for row in rows_of(causal, {"mean": [1, 1, 1]})),
    ]
    assert "| reflect | 1.05 [1.02, 1.18] | – |" in markdown(padding_report.tables(both, None))


def test_the_picture_has_a_panel_a_network_and_one_scale(rows):
    figure = padding_plot.draw(rows, 1.05, "tensorflow")
    (panel,) = [axis for axis in figure.axes if axis.axison]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == [CONTROL, "reflect", "mean"]
    low, high = panel.get_xlim()
    assert low < 0.95 and high > 1.3


@pytest.mark.parametrize("what", ["layers", slow("models")])
def test_the_command_measures_and_writes(what, tmp_path, capsys, monkeypatch):
    make = getattr(padding_cases, what)
    monkeypatch.setattr(padding_cases, what, lambda *given: [few(make(*given)[0])])
    arguments = ["--quick", "--what", what, "--modes", "partial", "--out", str(tmp_path)]
    assert padding.main(arguments) == 0
    with (tmp_path / "padding-tensorflow.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["variant"] == CONTROL and len(rows) == 2
    assert all(float(row["ratio"]) > 0 and row["rounds"] == "2" for row in rows)
    text = (tmp_path / "padding-tensorflow.md").read_text()
    assert f"padding --quick --what {what}" in text and "- commit: " in text
    assert (tmp_path / "padding-tensorflow.png").exists()
    assert "1 of 1: " in capsys.readouterr().out


def few(case):
    return padding_cases.replace(case, variants=case.variants[:2])


def test_without_pytorch_one_line_says_so(tmp_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != "torch" and find(name))
    assert padding.main(["--quick", "--what", "pytorch", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "PyTorch is not installed" in said[0] and said[1].startswith("error: nothing to measure")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--modes", "reflekt"], "reflect"),
        (["--what", "layer"], "layers"),
        (["--rounds", "1"], "at least 2"),
        (["--backend", "torch"], "jax"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, named, capsys):
    with pytest.raises(SystemExit) as stopped:
        padding.main(arguments)
    (line,) = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2 and line.startswith("error: ") and named in line
