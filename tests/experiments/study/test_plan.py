import json
import re

import pytest

from conf.presets import Declaration
from conf.reader import ConfigError
from experiments.run.record.files import DamagedError
from experiments.study.plan import Cell, Plan
from tests import made

ALIAS_OF_NOTHING = {"alias_of": "no such cell"}
NO_SEEDS = {"seeds": ["zero"]}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"declared": {}}', bytes(range(128, 256)), b'{"cells": {"a": {}}}', b"3"],
)
def test_a_damaged_plan_is_named(tmp_path, content):
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(DamagedError, match=re.escape(f"{tmp_path}/study.json cannot be read: ")):
        Plan.read(tmp_path)


@pytest.mark.parametrize("change", [ALIAS_OF_NOTHING, NO_SEEDS])
def test_a_plan_that_contradicts_itself_is_damaged(tmp_path, change):
    study = made.study(tmp_path / "study", ("same",), (0,))
    made.plan(study, seeds=(0,))
    path = study / "study.json"
    content = json.loads(path.read_text())
    next(iter(content["cells"].values())).update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(DamagedError, match=r"study\.json cannot be read"):
        Plan.read(study)


def planned(padding, seeds):
    """What a sweep plans: one cell."""
    cell = Cell("small_cnn", padding, "placed_digits", "tensorflow", [*seeds], padding)
    return Plan(cells={padding: cell})


def test_a_cell_keeps_when_and_for_how_many_seeds_it_was_declared(tmp_path, monkeypatch):
    plan = Plan()
    plan.add(planned("same", range(3)))
    first = plan.cells["same"]
    assert first.declared is not None
    monkeypatch.setattr("experiments.run.record.provenance.now", lambda: "2031-01-01T00:00:00Z")
    plan.add(planned("same", range(5)))
    plan.add(planned("valid", range(1)))
    plan.add(planned("valid", range(4)))
    plan.write(tmp_path)
    same, valid = Plan.read(tmp_path).cells.values()
    assert (same.seeds, same.declared, same.declared_seeds) == (
        [0, 1, 2, 3, 4],
        first.declared,
        3,
    )
    assert (valid.declared, valid.declared_seeds) == ("2031-01-01T00:00:00Z", 4)


def test_seeds_keep_the_order_in_which_they_were_declared():
    plan = Plan()
    for seeds in ([22, 21, 20], range(3), [21, 30]):
        plan.add(planned("same", seeds))
    assert plan.cells["same"].seeds == [20, 21, 22, 0, 1, 2, 30]


def test_a_cell_of_an_older_plan_is_declared_at_no_time():
    plan = planned("same", range(3))
    plan.add(planned("same", range(5)))
    assert (plan.cells["same"].declared, plan.cells["same"].declared_seeds) == (None, None)


def test_cells_that_join_a_family_are_said_because_its_intervals_become_wider():
    def plan(*paddings, model="small_cnn"):
        cells = {
            f"{model}-{p}": Cell(
                model, p, "mnist", "jax", [0], p, overrides=[f"model={model}", f"padding={p}"]
            )
            for p in paddings
        }
        return Plan(cells=cells)

    whole = plan("same", "valid")
    before = plan("same", "valid")
    whole.add(plan("full", "reflect"))
    (line,) = whole.more_comparisons(before)
    assert line.startswith("small_cnn on mnist: 3 comparisons are planned now, 1 before")
    whole.add(plan("same", "valid", model="inception"))
    assert whole.more_comparisons(before) == [line]  # a family of its own, which is new
    assert before.more_comparisons(before) == []
    assert plan("same", "valid").more_comparisons(plan("same")) == []  # nothing was compared yet


def tuned(padding, rate, *more):
    """What a sweep plans whose arm has this learning rate."""
    overrides = [f"padding={padding}", *more, f"optimizer.learning_rate={rate}"]
    name = f"{padding}-{rate}"
    cell = Cell("small_cnn", padding, "digits", "tensorflow", [0], name, overrides=overrides)
    return Plan(Declaration(tuned={"optimizer.learning_rate": [0.1, 0.2]}), cells={name: cell})


def test_a_padding_that_is_tuned_again_adds_no_comparison():
    plan = Plan()
    for other in (
        tuned("same", 0.1),
        tuned("valid", 0.1),
        tuned("valid", 0.2, "trainer.threads=1"),
    ):
        plan.add(other, started=False)
    assert list(plan.cells) == ["same-0.1", "valid-0.2"]
    assert plan.alike(["same-0.1"]) == ["same-0.1", "valid-0.2"]
    with pytest.raises(ConfigError, match=r"valid was tuned again, .* study\.json \(valid-0\.2\)"):
        plan.add(tuned("valid", 0.1))
    plan.add(tuned("valid", 0.1, "data.examples=5"))
    assert len(plan.cells) == 3, "another family"
