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


DAMAGE = {
    "truncated": b'{"sta',
    "empty": b"",
    "binary": bytes(range(128, 256)),
    "a text": b'"text"',
    "a list": b"[1, 2]",
    "null": b"null",
    "an object of nothing": b"{}",
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", ["status.json", "results.json", "meta.json"])
def test_what_is_damaged_is_named_and_a_rerun_begins_anew(tmp_path, name, content):
    run = Run(tmp_path / "seed=0")
    with run.claim({}, {"seed": 1}, rerun=False):
        (run.directory / "results.json").write_text('{"test_accuracy": 0.5}')
    assert run.complete
    assert run.damage() is None
    (run.directory / name).write_bytes(content)
    assert f"{run.directory / name} cannot be read: " in str(run.damage())
    assert "\n" not in str(run.damage())
    with run.claim({}, {"seed": 2}, rerun=True):
        pass
    assert run.damage() is None
    assert run.results is None
    assert json.loads((run.directory / "meta.json").read_text())["starts"][-1] == {"seed": 2}


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
