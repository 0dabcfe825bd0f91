"""Everything that every probe of the registry owes."""

import pytest

from conf import choices, help_page
from experiments.probes.shared import running
from experiments.probes.shared.subject import Measured, NotApplicableError
from tests.contract import probes_contract as contract
from tests.helpers import thinned

FILES = sorted(file.stem for file in choices.FOLDER.glob("*.py") if file.stem[0] != "_")


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_complete(name):
    contract.check_the_file(name)
    assert f"  {name}" in help_page.help_page()


@pytest.mark.parametrize("name", FILES)
def test_it_has_a_known_answer(name):
    contract.check_the_known_answer(name)


@pytest.mark.parametrize("name", thinned(FILES, 3))
def test_it_measures_an_image_or_a_sequence(name):
    contract.check_what_it_brings_back(name)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def probe(subject): ...", "experiments/probes/mine.py must set MEASURES.*help page"),
        ("def probe(subject:", "experiments/probes/mine.py, line 1: '\\(' was never closed"),
    ],
)
def test_a_file_that_is_not_complete_is_told(tmp_path, monkeypatch, code, message):
    folder = tmp_path / "experiments" / "probes"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(code)
    monkeypatch.setattr(choices, "FOLDER", folder)
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_the_file("mine")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "test_mine.py must have a function test_known_answer….*docs/extending.md"),
        ("def test_other():\n    assert mine", "must have a function test_known_answer"),
        ("def test_known_answer():\n    mine()", "test_mine.py: test_known_answer asserts nothing"),
    ],
)
def test_a_known_answer_that_is_missing_is_asked_for(tmp_path, monkeypatch, code, message):
    monkeypatch.setattr(contract, "TESTS", tmp_path)
    if code is not None:
        (tmp_path / "test_mine.py").write_text(code)
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_the_known_answer("mine")


def test_a_probe_that_changes_the_network_is_told():
    def changes(of):
        of.model.set_weights([0 * weight for weight in of.model.get_weights()])
        return Measured({"share": 1.0})

    with pytest.raises(pytest.fail.Exception, match="the probe changed the network's weights"):
        contract.measured(changes, "image")


def refuses(subject):
    raise NotApplicableError("whatever it is")


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (lambda of: {"share": 1.0}, r"mine.py: probe returns Measured\(values=\{…\}\), not dict"),
        (lambda of: Measured({"share": float("nan")}), "mine.py: values are finite numbers"),
        (lambda of: Measured({"model": of.model}), "mine.py: values are finite numbers"),
        (lambda of: Measured({}, of.loaded.test.x[0]), "mine.py: a picture is uint8"),
        (lambda of: Measured({}, None, {"map": [1]}), "mine.py: maps are NumPy arrays"),
        (refuses, "mine.py applies neither to images nor to sequences"),
    ],
)
def test_a_result_that_cannot_be_kept_is_told(monkeypatch, probe, message):
    monkeypatch.setattr(running, "find", lambda name: probe)
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_what_it_brings_back("mine")
