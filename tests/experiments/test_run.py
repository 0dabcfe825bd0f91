import pytest

from conf.schema import from_dict
from experiments import framework
from experiments.run import Run, RunFailed
from models.padding import NAMED
from tests import made


@pytest.fixture
def config():
    padding = {"amount": NAMED["same"].amount, "mode": NAMED["same"].mode}
    return from_dict({"padding": padding, **made.BASE})


def test_an_error_fails_the_run(tmp_path, config):
    run = Run(tmp_path / "seed=0")
    with pytest.raises(RunFailed, match="RuntimeError: out of luck"), run.claim(config):
        raise RuntimeError("out of luck")
    assert run.status == "FAILED"


def test_an_interrupt_that_foreign_code_makes_an_error_interrupts_the_run(tmp_path, config):
    run = Run(tmp_path / "seed=0")
    framework.INTERRUPTED.set()
    try:
        with pytest.raises(KeyboardInterrupt), run.claim(config):
            raise RuntimeError("an exception is set")
    finally:
        framework.INTERRUPTED.clear()
    assert run.status == "INTERRUPTED"
