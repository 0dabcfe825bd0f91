"""What is said before a study is continued under other circumstances."""

import json
import re

import numpy as np
import pytest

from conf.reader import DoesNotFitError
from conf.schema import from_dict
from data import Data, Spec, Split
from experiments.run import framework
from experiments.run.record import provenance, source_files
from experiments.study import comparable
from tests import made

HERE = {
    **made.START,
    **provenance.today("tensorflow"),
    "sources": source_files.of_run("small_cnn", "built", "placed_digits", ()),
    "threads": 2,
}


def config(folder, **trainer):
    """A run of a padding that the study lacks."""
    values = {"padding": {"amount": "valid", "mode": "zeros"}, **made.BASE, "study": folder.name}
    values["trainer"] = made.BASE["trainer"] | trainer
    return from_dict(values | {"runs_dir": str(folder.parent)})


def study(folder, **changes):
    return made.study(folder, ("same", "reflect"), range(2), starts=[HERE | changes])


def test_a_study_made_alike_needs_no_word(tmp_path):
    assert comparable.warning(config(study(tmp_path / "kept")), 2) is None
    assert comparable.warning(config(tmp_path / "nothing"), 2) is None


OTHERWISE = {
    "threads": ({"threads": 1}, "threads (2 here and 1 there)", "trainer.threads=1"),
    "seeds at once": (
        {"seeds_at_once": 8},
        "seeds at once (1 here and 8 there)",
        "trainer.seeds_at_once=8",
    ),
    "a device of old": (
        {"device": HERE["device"] + ", 8 cores", "threads": None},
        "threads (2 here and 8 there)",
        "trainer.threads=8",
    ),
    "oneDNN": (
        {"onednn": not HERE["onednn"]},
        "onednn (",
        f"TF_ENABLE_ONEDNN_OPTS={not HERE['onednn']:d} before the command",
    ),
    "instruction sets": (
        {"instruction_sets": [*HERE["instruction_sets"], "avx1024"]},
        "instruction sets (none here and avx1024 there)",
        "a machine like the study's",
    ),
    "device": ({"device": "another"}, "here and another there)", "a machine like the study's"),
    "versions": (
        {"versions": HERE["versions"] | {"keras": "2.0"}},
        "here and keras 2.0 there)",
        "the study's versions",
    ),
    "sources": (
        {"sources": HERE["sources"] | {"models/bind.py": "ffff"}},
        "sources (models/bind.py)",
        "the study's sources",
    ),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_what_differs_is_said_with_what_to_do(tmp_path, what):
    change, difference, remedy = OTHERWISE[what]
    said = comparable.warning(config(study(tmp_path / "kept", **change)), 2)
    assert said.startswith("not comparable: 2 of the 2 cells of study kept differ from this run in")
    assert difference in said
    assert f". Use {remedy}" in said
    assert said.endswith("or another study=…, or train all of them here with rerun=true")
    assert "\n" not in said


def test_other_networks_and_runs_to_be_trained_again_are_not_looked_at(tmp_path):
    folder = study(tmp_path / "kept", threads=1)
    assert comparable.warning(config(folder), 2)
    values = config(folder).to_dict()
    assert comparable.warning(from_dict(values | {"rerun": True}), 2) is None
    on_jax = {"backend": "jax", "trainer": values["trainer"] | {"jit": True}}
    assert comparable.warning(from_dict(values | on_jax), 2) is None
    assert comparable.warning(from_dict(values | {"model": {"name": "inception"}}), 2) is None


def test_what_an_old_run_does_not_tell_is_not_held_against_it(tmp_path):
    old = {"instruction_sets": None, "onednn": None, "sources": None, "source_hash": None}
    assert comparable.warning(config(study(tmp_path / "kept", **old)), 2) is None


@pytest.mark.parametrize("content", ["", "[]", '"text"', '{"starts": []}', "\x00\xff"])
def test_a_damaged_run_stops_nothing(tmp_path, content):
    folder = study(tmp_path / "kept", threads=1)
    for file in folder.glob("*/*/meta.json"):
        file.write_text(content, encoding="latin-1")
    assert comparable.warning(config(folder), 2) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"threads": "two"},
        {"instruction_sets": [["avx"], {"a": 1}]},
        {"versions": "new"},
        {"device": ["a", "b"]},
    ],
)
def test_what_was_edited_into_something_else_tells_nothing(tmp_path, changes):
    folder = study(tmp_path / "kept", **changes)
    assert comparable.warning(config(folder), 2) is None
    assert comparable.threads(config(folder)) >= 1


def test_a_study_keeps_its_threads(tmp_path, monkeypatch):
    folder = study(tmp_path / "kept", threads=5)
    monkeypatch.setattr(framework, "_threads", None)
    monkeypatch.setattr(comparable.device, "cores", lambda: 8)
    assert comparable.threads(config(folder)) == 5
    assert comparable.threads(config(folder, threads=3)) == 3
    assert comparable.threads(config(tmp_path / "nothing")) == 8
    assert comparable.threads(config(tmp_path / "nothing"), workers=3) == 2
    assert comparable.threads(config(tmp_path / "nothing"), workers=9) == 1
    monkeypatch.setattr(framework, "_threads", 4)  # a process keeps what it was started with
    assert comparable.threads(config(folder)) == 4


def test_threads_are_no_part_of_a_runs_name(tmp_path):
    names = {config(tmp_path, threads=n).cell("content") for n in ("auto", 1, 2)}
    assert len(names) == 1
    assert json.dumps(config(tmp_path, threads=2).to_dict()["trainer"]["threads"]) == "2"


def loaded(y, validation=True, **more):
    """Data whose three splits have these targets."""
    split = Split(np.zeros((len(y), 4, 4, 1), np.float32), y, np.arange(len(y)), **more)
    spec = Spec(
        *("image", (4, 4, 1), 3, ("cat", "bird", "dog"), "f", (0.0,), (1.0,), "none"),
        *("carved", "test"),
    )
    return Data(spec, split, split if validation else None, split)


LABELS = np.array([0, 2, 2, 0], np.int32)


@pytest.mark.parametrize(
    ("metric", "data", "takes"),
    [
        ("accuracy_of/bird", loaded(LABELS), "accuracy_of/ takes cat, dog"),
        ("accuracy_on/far@3", loaded(LABELS), "test split is not divided that way"),
        (
            "accuracy_on/fra",
            loaded(LABELS, subset=np.array(["far", "near", "far", "far"])),
            "accuracy_on/ takes far, near",
        ),
        (
            "accuracy_by_margin/0 to 2",
            loaded(LABELS, margin=np.array([-9, 1, 7, 8], np.float32)),
            "accuracy_by_margin/ takes below -4, 0 to 3, from 6",
        ),
        ("error_at/3", loaded(np.zeros((4, 5, 6), np.int32)), "error_at/ takes 0, 1, 2"),
        ("validation_loss", loaded(LABELS, validation=False), "data.validation > 0"),
    ],
)
def test_what_runs_on_the_data_do_not_record_is_refused(metric, data, takes):
    with pytest.raises(DoesNotFitError, match=f"{re.escape(metric)} .*{takes}$"):
        comparable.check_recorded(metric, data)


@pytest.mark.parametrize(
    "metric", ["accuracy_of/dog", "test_accuracy@3", "validation_loss", "test_loss", "step_ms"]
)
def test_what_they_record_is_not(metric):
    comparable.check_recorded(metric, loaded(LABELS))
