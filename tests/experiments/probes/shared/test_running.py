import hashlib

import keras
import numpy as np
import pytest

from conf.choices import PROBES
from conf.schema import from_dict
from experiments.probes.shared import running
from experiments.probes.shared.record import Record
from experiments.run import inputs
from experiments.run.record import files
from experiments.run.record.directory import Run
from experiments.terminal import FAILED, OK
from models.padding import NAMED
from tests import subjects
from tests.contract import probes_contract
from tests.made import BASE


@pytest.mark.full
@pytest.mark.parametrize("name", PROBES)
def test_a_probe_leaves_the_network_and_its_data_as_they_were(name, tmp_path):
    """Also what is drawn from: dropout's state and that of a random border."""
    of = probes_contract.tiny(name)
    loaded = of.loaded
    of.model.save(tmp_path / "model.keras")
    file = hashlib.sha256((tmp_path / "model.keras").read_bytes()).hexdigest()
    variables = [np.array(v) for v in of.model.variables]
    states = [v for v in of.model.variables if "seed_generator_state" in v.path]
    assert len(states) >= 2
    for array in (loaded.test.x, loaded.test.y, loaded.train.x):
        array.flags.writeable = False
    config, policy = of.model.get_config(), keras.config.dtype_policy().name
    running.find(name)(of)
    for before, after in zip(variables, of.model.variables, strict=True):
        assert np.array_equal(before, after), after.path
    assert of.model.get_config() == config
    assert [layer.trainable for layer in of.model.layers] == [True] * len(of.model.layers)
    assert not getattr(of.model, "compiled", False)
    assert keras.config.dtype_policy().name == policy
    assert hashlib.sha256((tmp_path / "model.keras").read_bytes()).hexdigest() == file


def test_probes_run_one_after_the_other_and_the_worst_end_is_told(tmp_path, monkeypatch, capsys):
    files.write_json(tmp_path / "results.json", {"test_accuracy": 0.5})
    found = {
        "shift": lambda of: running.Measured({"share": 0.123456, "n": 1200, "deep": {"not": 1}}),
        "leak": lambda of: running.Measured({"value": float("nan")}),
    }
    monkeypatch.setattr(running, "find", found.__getitem__)
    record = Record.of_run(Run(tmp_path))
    assert running.run(["shift"], None, record) == OK
    assert "shift          share 0.1235   n 1,200\n" in capsys.readouterr().out
    assert running.run(["leak", "shift"], None, record) == FAILED
    said = capsys.readouterr()
    assert "probe leak failed: ValueError: it measured nan" in said.err
    assert list(files.read_json(record.results)["probes"]) == ["shift"]


def test_the_network_is_built_again_as_it_was_but_for_its_padding():
    options = {"name": "small_cnn", "widths": [4, 6], "convs_per_stage": [1, 2]}
    padding = {"amount": "same", "mode": "constant", "value": 0.5, "pools": "follow"}
    padding["overrides"] = {"stage1_conv*": "valid"}
    config = from_dict({**BASE, "model": options, "padding": padding})
    loaded = subjects.noise((20, 20, 1), n=4)
    model = inputs.build(config.model, config.padding, loaded.spec, padding_seed=0)
    of = running.subject(model, loaded, config.model, config.padding, seed=0, padding_seed=0)
    built = of.rebuild(NAMED["reflect"])
    assert [w.path for w in built.weights] == [w.path for w in of.model.weights]
    borders = {layer.name: layer.border for layer in built.layers if hasattr(layer, "border")}
    assert borders["stage1_conv1"].amount == "valid"
    assert borders["stage2_conv1"] == borders["stage1_pool"] == NAMED["reflect"]
