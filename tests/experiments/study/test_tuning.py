"""The choice of tuned values; `made` runs stand for the trained ones, whose training is slow."""

import json

import pytest

from conf.reader import ConfigError
from experiments.run.record import files
from experiments.run.record.directory import Run
from experiments.study.jobs import Sweep
from experiments.study.tuning import SEEDS, tune

RATE = "optimizer.learning_rate"
ARMS = {"same": 0.003, "valid": 0.03}  # the best rate of each padding


class Trainer:
    """Makes runs whose validation accuracy falls with the distance from their arm's best rate."""

    def __init__(self, folder, best=ARMS, diverge=(), of_validation=None):
        self.folder, self.best, self.diverge, self.asked = folder, best, diverge, []
        self.of_validation = of_validation or (lambda a: {"validation_accuracy": 0.9 - a})

    def __call__(self, runs):
        sweep = Sweep()
        for run in runs:
            said = dict(override.partition("=")[::2] for override in run)
            self.asked.append(said)
            directory = self.folder / f"{len(self.asked)}"
            rate = float(said[RATE])
            apart = abs(rate - self.best[said["padding"]])
            done = {"status": "FAILED" if rate in self.diverge else "COMPLETED"}
            results = {"test_accuracy": None, **self.of_validation(apart), "epochs": 1}
            files.write_json(directory / "status.json", done)
            files.write_json(directory / "results.json", results)
            sweep.of[tuple(run)] = Run(directory)
        return sweep


def runs(*seeds):
    return [[f"padding={p}", "study=s", f"seed={seed}"] for p in ARMS for seed in seeds]


def chosen(tuned):
    return {run[0].removeprefix("padding="): run[-1] for run in tuned}


def test_every_arm_gets_its_best_value_and_keeps_its_own_seeds(tmp_path):
    train = Trainer(tmp_path)
    tuned = tune(
        runs(0, 1), {RATE: [0.001, 0.003, 0.01, 0.03, 0.1]}, tmp_path / "s", "test_accuracy", train
    )
    assert chosen(tuned) == {"same": f"{RATE}=0.003", "valid": f"{RATE}=0.03"}
    assert [run[:-1] for run in tuned] == runs(0, 1)
    assert {said["seed"] for said in train.asked} == set(map(str, SEEDS))
    assert len(train.asked) == 2 * 5 * 3
    for said in train.asked:
        assert said["study"] == "s-tuning" and said["trainer.test"] == "false"
        assert said["sweep.metric"] == "validation_accuracy"


def test_a_grid_is_widened_for_all_arms_while_one_is_best_at_an_edge(tmp_path):
    train = Trainer(tmp_path)
    tuned = tune(runs(0), {RATE: [0.001, 0.003, 0.01]}, tmp_path / "s", "test_accuracy", train)
    assert chosen(tuned) == {"same": f"{RATE}=0.003", "valid": f"{RATE}=0.033"}
    record = json.loads((tmp_path / "s" / "tuning.json").read_text())
    assert [arm["grid"][RATE] for arm in record["arms"]] == [[0.001, 0.003, 0.01, 0.033, 0.11]] * 2
    assert record["declared"] == {RATE: [0.001, 0.003, 0.01]}
    rates = {p: {s[RATE] for s in train.asked if s["padding"] == p} for p in ARMS}
    assert rates["same"] == rates["valid"]
    assert [arm["edge"] for arm in record["arms"]] == [[], []]


@pytest.mark.parametrize(
    ("metric", "validated"),
    [("test_mae", "validation_mae"), ("validation_loss", "validation_loss")],
)
def test_of_an_error_the_lowest_is_best(tmp_path, metric, validated):
    train = Trainer(tmp_path, of_validation=lambda apart: {validated: apart})
    tuned = tune(runs(0), {RATE: [0.001, 0.003, 0.01, 0.03, 0.1]}, tmp_path / "s", metric, train)
    assert chosen(tuned) == {"same": f"{RATE}=0.003", "valid": f"{RATE}=0.03"}
    assert {said["sweep.metric"] for said in train.asked} == {validated}
    record = json.loads((tmp_path / "s" / "tuning.json").read_text())
    assert record["arms"][0][validated][0]["mean"] == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("metric", "label", "told"),
    [("test_accuracy", "accuracy", "0.001: 89.80 %,"), ("test_mae", "MAE", "0.001: 0.898,")],
)
def test_what_an_arm_was_chosen_by_is_told_with_its_unit(tmp_path, metric, label, told, capsys):
    name = metric.replace("test", "validation")
    train = Trainer(tmp_path, of_validation=lambda apart: {name: 0.9 - apart})
    tune(runs(0), {RATE: [0.001, 0.003, 0.01]}, tmp_path / "s", metric, train)
    out = capsys.readouterr().out
    assert f"(validation {label} " in out and told in out


def test_runs_that_were_not_validated_are_refused(tmp_path):
    train = Trainer(tmp_path, of_validation=lambda apart: {"validation_mae": None})
    with pytest.raises(ConfigError, match="needs a validation split"):
        tune(runs(0), {RATE: [0.003, 0.01]}, tmp_path / "s", "test_mae", train)


def test_widening_ends_and_an_edge_that_is_left_is_said(tmp_path, capsys):
    train = Trainer(tmp_path, best={"same": 0.003, "valid": 100.0})
    tune(runs(0), {RATE: [0.001, 0.01]}, tmp_path / "s", "test_accuracy", train)
    record = json.loads((tmp_path / "s" / "tuning.json").read_text())
    assert record["arms"][0]["grid"] == {RATE: [0.0001, 0.001, 0.01, 0.1, 1.0]}
    assert [arm["edge"] for arm in record["arms"]] == [[], [RATE]]
    assert f"at the edge of {RATE}" in capsys.readouterr().out


def test_a_value_with_which_a_run_fails_is_not_chosen(tmp_path):
    train = Trainer(tmp_path, diverge=(0.03,))
    tuned = tune(runs(0), {RATE: [0.003, 0.01, 0.03, 0.1]}, tmp_path / "s", "test_accuracy", train)
    assert chosen(tuned)["valid"] == f"{RATE}=0.01"


def test_an_arm_that_trains_with_no_value_is_named(tmp_path):
    train = Trainer(tmp_path, diverge=(0.003, 0.01))
    with pytest.raises(ConfigError, match="no value trained with every seed: padding=same"):
        tune(runs(0), {RATE: [0.003, 0.01]}, tmp_path / "s", "test_accuracy", train)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (["padding=same", f"{RATE}=0.1", "seed=0"], "is tuned by sweep.tuned"),
        (["padding=same", "seed=1001"], "this seed tunes"),
    ],
)
def test_what_is_tuned_is_not_set_and_what_tunes_is_not_compared(tmp_path, run, why):
    train = Trainer(tmp_path)
    with pytest.raises(ConfigError, match=why):
        tune([run], {RATE: [0.001, 0.01]}, tmp_path / "s", "test_accuracy", train)
    assert not train.asked


def test_arms_of_several_commands_stand_in_one_record_and_an_arm_once(tmp_path):
    grid = {RATE: [0.001, 0.003, 0.01, 0.03, 0.1]}
    for padding in ("same", "valid", "same"):
        some = [run for run in runs(0) if f"padding={padding}" in run]
        tune(some, grid, tmp_path / "s", "test_accuracy", Trainer(tmp_path / padding))
    record = json.loads((tmp_path / "s" / "tuning.json").read_text())
    assert [arm["overrides"][0] for arm in record["arms"]] == ["padding=valid", "padding=same"]


def test_whole_numbers_stay_whole_and_what_cannot_be_meant_ends_the_widening(tmp_path, capsys):
    class Choosy(Trainer):
        def __call__(self, runs):
            if any(float(o.partition("=")[2]) > 200 for run in runs for o in run if RATE in o):
                raise ConfigError("at most 200")
            return super().__call__(runs)

    train = Choosy(tmp_path, best={"same": 1000, "valid": 1000})
    tuned = tune(runs(0), {RATE: [32, 64]}, tmp_path / "s", "test_accuracy", train)
    assert chosen(tuned) == {"same": f"{RATE}=130", "valid": f"{RATE}=130"}
    out = capsys.readouterr().out
    assert "for all arms also 130\n" in out and "the grid is not widened: at most 200" in out


def test_complete_runs_are_trained_again_once_and_not_in_every_round(tmp_path):
    train = Trainer(tmp_path)
    again = [[*run, "rerun=true"] for run in runs(0)]
    tune(again, {RATE: [0.001, 0.003, 0.01]}, tmp_path / "s", "test_accuracy", train)
    first = 2 * 3 * len(SEEDS)
    assert all(said.get("rerun") == "true" for said in train.asked[:first])
    assert len(train.asked) > first
    assert all("rerun" not in said for said in train.asked[first:])


def test_several_studies_and_a_damaged_record_are_refused_before_anything_is_trained(tmp_path):
    train = Trainer(tmp_path)
    several = [["padding=same", "study=a", "seed=0"], ["padding=same", "study=b", "seed=0"]]
    with pytest.raises(ConfigError, match="one study in a command"):
        tune(several, {RATE: [0.001, 0.01]}, tmp_path / "a", "test_accuracy", train)
    for content in ('{"arms": 3}', '{"arms": [{}]}', "[]", "{"):
        (tmp_path / "s").mkdir(exist_ok=True)
        (tmp_path / "s" / "tuning.json").write_text(content)
        with pytest.raises(files.DamagedError):
            tune(runs(0), {RATE: [0.001, 0.01]}, tmp_path / "s", "test_accuracy", train)
    assert not train.asked


GRID = {RATE: [0.001, 0.003, 0.01, 0.03, 0.1]}


def started(study):
    """A run of the study has begun."""
    files.write_json(study / "cell" / "seed=0" / "status.json", {"status": "RUNNING"})


def test_the_first_tuning_of_an_arm_stands_with_its_time(tmp_path):
    study = tmp_path / "s"
    tune(runs(0), GRID, study, "test_accuracy", Trainer(tmp_path / "first"))
    first = (study / "tuning.json").read_text()
    assert all(arm["time"].startswith("20") for arm in json.loads(first)["arms"])
    started(study)
    other = lambda apart: {"validation_accuracy": 0.8 - apart}  # noqa: E731
    again = [["trainer.threads=1", *reversed(run)] for run in runs(0)]
    tune(again, GRID, study, "test_accuracy", Trainer(tmp_path / "2", of_validation=other))
    assert (study / "tuning.json").read_text() == first


def test_an_arm_that_is_tuned_again_to_another_value_is_refused_once_runs_have_started(tmp_path):
    study = tmp_path / "s"
    tune(runs(0), GRID, study, "test_accuracy", Trainer(tmp_path / "first"))
    better = Trainer(tmp_path / "again", best={"same": 0.003, "valid": 0.01})
    tuned = tune(runs(0), GRID, study, "test_accuracy", better)
    assert chosen(tuned)["valid"] == f"{RATE}=0.01"
    started(study)
    before = (study / "tuning.json").read_text()
    with pytest.raises(ConfigError, match="padding=valid was tuned again, to .*=0.03") as refusal:
        tune(runs(0), GRID, study, "test_accuracy", Trainer(tmp_path / "third"))
    assert f"{study / 'tuning.json'}" in str(refusal.value)
    assert str(refusal.value).endswith("choose another study=…")
    assert (study / "tuning.json").read_text() == before


def test_a_later_command_has_the_grid_of_the_first_and_widens_it_no_more(tmp_path):
    study, grid = tmp_path / "s", {RATE: [0.001, 0.003, 0.01]}
    same, valid = runs(0)
    tune([same], grid, study, "test_accuracy", Trainer(tmp_path / "1", best={"same": 0.01}))
    later = Trainer(tmp_path / "2", best={"valid": 1.0})
    tune([valid], grid, study, "test_accuracy", later)
    record = json.loads((study / "tuning.json").read_text())
    assert [arm["grid"][RATE] for arm in record["arms"]] == [[0.001, 0.003, 0.01, 0.033]] * 2
    assert [arm["edge"] for arm in record["arms"]] == [[], [RATE]]
    assert {said["padding"] for said in later.asked} == {"valid"}
