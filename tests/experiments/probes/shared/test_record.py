import json

import numpy as np
import pytest

from conf.choices import PROBES
from conf.reader import ConfigError
from experiments.probes.shared import running
from experiments.probes.shared.record import Record, plain
from experiments.probes.shared.subject import Measured
from experiments.run.record import files
from experiments.run.record.directory import Run

PICTURE = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


@pytest.fixture
def record(tmp_path):
    files.write_json(tmp_path / "results.json", {"test_accuracy": 0.5, "epochs": 2})
    return Record.of_run(Run(tmp_path))


def test_values_stand_beside_the_results_in_the_order_of_the_names(record):
    record.keep("swap", Measured({"fall": np.float32(0.5)}))
    record.keep("shift", Measured({"n": np.int64(3), "of": (1, 2), "a": np.ones(2)}))
    content = json.loads(record.results.read_text())
    assert content["probes"] == {
        "shift": {"n": 3, "of": [1, 2], "a": [1, 1]},
        "swap": {"fall": 0.5},
    }
    assert list(content["probes"]) == ["shift", "swap"]
    assert {k: v for k, v in content.items() if k != "probes"} == {
        "test_accuracy": 0.5,
        "epochs": 2,
    }


def test_measured_again_a_probe_replaces_its_own_and_no_others(record):
    both = {"map": np.ones((2, 2)), "line": np.zeros(3)}
    record.keep("shift", Measured({"n": 1}, PICTURE, both))
    record.keep("swap", Measured({"n": 2}, PICTURE, {"map": np.full(2, 7)}))
    record.keep("shift", Measured({"n": 3}, None, {"map": np.zeros(1)}))
    assert set(record.pictures()) == {"swap"}
    with np.load(record.maps, allow_pickle=False) as stored:
        assert {name: stored[name].tolist() for name in stored.files} == {
            "swap/map": [7, 7],
            "shift/map": [0],
        }
    assert files.read_json(record.results)["probes"] == {"shift": {"n": 3}, "swap": {"n": 2}}


@pytest.mark.parametrize("bad", [float("nan"), np.array([1.0, np.inf]), {"deep": [np.nan]}])
def test_what_is_no_number_is_not_kept(record, bad):
    before = record.results.read_bytes()
    with pytest.raises(ValueError, match="not a finite number"):
        record.keep("shift", Measured({"value": bad}, PICTURE))
    assert record.results.read_bytes() == before
    assert not record.folder.exists()


def test_a_success_takes_the_traceback_of_a_failure_away(record):
    where = record.keep_failure("shift", "why")
    assert where.read_text() == "why"
    record.keep("shift", Measured({}))
    assert not where.exists()


def test_plain_leaves_what_json_knows():
    assert plain({"a": None, "b": True, "c": "x", 1: 2}) == {"a": None, "b": True, "c": "x", "1": 2}


def test_the_registry_knows_names_and_only_names():
    probe = running.find("shift")
    assert probe.__module__ == "experiments.probes.shift"
    with pytest.raises(ConfigError, match="did you mean shift"):
        running.find("shfit")
    assert set(PROBES) >= {"position", "shift", "swap", "leak"}
