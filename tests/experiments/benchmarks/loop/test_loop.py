import csv
import dataclasses
import importlib.util

import keras
import pytest

from experiments.benchmarks.loop import __main__ as loop
from experiments.benchmarks.loop import loop_report
from experiments.benchmarks.loop.cases import CASES, examples, spec


def test_a_ratio_is_the_median_over_rounds_not_the_ratio_of_medians():
    seconds = {"padzoo": [1.0, 2.0, 4.0], "bare fit": [2.0, 2.0, 2.0], "PyTorch": [3.0, 8.0, 4.0]}
    bare, torch = loop_report.rows("small_cnn", 8, 10, seconds)
    assert (bare["compared_with"], bare["ratio"]) == ("bare fit", 1.0)
    assert bare["images_per_second"] == 40 and bare["its_images_per_second"] == 40
    assert (torch["ratio_q1"], torch["ratio"], torch["ratio_q3"]) == (2.0, 3.0, 3.5)


def test_every_loop_runs_once_a_round_and_takes_its_turn_to_begin():
    calls = []

    def named(name):
        return lambda: calls.append(name) or float(len(calls))

    seconds = loop.interleave({name: named(name) for name in "abc"}, rounds=3)
    assert calls == [*"abc", *"bca", *"cab"]
    assert seconds == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}


def test_loops_that_take_turns_trace_their_steps_once(monkeypatch):
    traced = []
    step = keras.Model.train_step

    def counted(self, *arguments):
        traced.append(id(self))
        return step(self, *arguments)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    backend = keras.backend.backend()
    engine = ("trainer.engine=scan",)
    case = dataclasses.replace(
        CASES["small_cnn"], options={"widths": "[2]", "convs_per_stage": "[1]"}
    )
    config = loop.compose(case, 8, "float32", backend, *engine)
    split = examples(case, 24)
    loops = [
        loop.epoch(loop.compiled(config, spec(case)), config, split, steps=3) for _ in range(2)
    ]
    for run in loops:
        run()
    before = len(traced)
    loop.interleave({"one": loops[0], "other": loops[1]}, rounds=2)
    assert len(set(traced)) == 2 and len(traced) == before


@pytest.mark.slow
def test_the_command_measures_and_writes_its_table(tmp_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != "torch" and find(name))
    arguments = ["--quick", "--networks", "small_cnn", "causal_conv1d", "--out", str(tmp_path)]
    assert loop.main(arguments) == 0
    with (tmp_path / "loop.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["network"] for row in rows} == {"small_cnn", "causal_conv1d"}
    assert rows[0]["loop"] == "padzoo" and rows[0]["compared_with"] == "bare fit"
    assert all(float(row["ratio"]) > 0 for row in rows)
    page = (tmp_path / "loop.md").read_text()
    assert "loop --quick --networks small_cnn" in page and "2 interleaved rounds" in page
    assert page.count("\n| small\\_cnn | 8 |") == 1
    assert "PyTorch is not installed" in capsys.readouterr().err


def test_a_network_that_does_not_exist_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        loop.main(["--networks", "smal_cnn"])
    assert stopped.value.code == 2
    assert "small_cnn" in capsys.readouterr().err


def test_one_round_has_no_quartiles_and_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        loop.main(["--rounds", "1"])
    assert stopped.value.code == 2
    assert "at least 2" in capsys.readouterr().err
