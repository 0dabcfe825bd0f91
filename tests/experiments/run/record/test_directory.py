import json

import pytest

from experiments.run import framework
from experiments.run.record.directory import Run, RunFailed


def test_an_error_fails_the_run(tmp_path):
    run = Run(tmp_path / "seed=0")
    with (
        pytest.raises(RunFailed, match="RuntimeError: out of luck"),
        run.claim({}, {}, rerun=False),
    ):
        raise RuntimeError("out of luck")
    assert run.status == "FAILED"


def test_an_interrupt_that_foreign_code_makes_an_error_interrupts_the_run(tmp_path):
    run = Run(tmp_path / "seed=0")
    framework.INTERRUPTED.set()
    try:
        with pytest.raises(KeyboardInterrupt), run.claim({}, {}, rerun=False):
            raise RuntimeError("an exception is set")
    finally:
        framework.INTERRUPTED.clear()
    assert run.status == "INTERRUPTED"


def test_a_start_is_added_to_those_before(tmp_path):
    run = Run(tmp_path / "seed=0")
    with pytest.raises(RunFailed), run.claim({}, {"seed": 1}, rerun=False):
        raise RuntimeError
    with run.claim({"model": "x"}, {"seed": 2}, rerun=False):
        pass
    assert json.loads((run.directory / "meta.json").read_text())["starts"] == [
        {"seed": 1},
        {"seed": 2},
    ]
    assert json.loads((run.directory / "config.json").read_text()) == {"model": "x"}
