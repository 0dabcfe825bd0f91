"""What the tests share: the program called as a user calls it, on a tiny part of real data."""

import gc
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

import data
from experiments.run import framework
from tests.helpers import run_of

framework.choose_onednn()  # as train.py does; a test may import TensorFlow before it
TINY = (
    "data.examples=120",
    "trainer.epochs=2",
    "trainer.batch_size=54",  # two whole batches of the 108 that train: TensorFlow traces once
    "trainer.progress=false",
    "model.widths=[4,4]",
    "model.convs_per_stage=[1,1]",
)


def pytest_collection_finish() -> None:
    """What is imported by now stays: no run's collection of garbage need go through it again."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that this session's processes have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def data_dir(shared) -> str:
    """The sets that the project makes, prepared once for all tests."""
    folder = shared / "tensorflow_datasets"
    folder.mkdir(exist_ok=True)
    return str(folder)


@pytest.fixture
def program(tmp_path, monkeypatch, capsys, data_dir):
    """`program("padding=same", …)` calls train.py's main in an empty folder."""
    import train

    monkeypatch.chdir(tmp_path)
    if reuse := sys.modules.get("experiments.run.loop.engines.reuse"):
        monkeypatch.setattr(reuse, "_last", None)  # no test trains by another's programs

    def call(*arguments: str) -> Outcome:
        flags = [a for a in arguments if a.startswith("-")]
        overrides = [f"data.data_dir={data_dir}", *(a for a in arguments if a not in flags)]
        monkeypatch.setattr(sys, "argv", ["train.py", *flags, *overrides])
        code = train.main()
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def tiny(program):
    """The program on a network and a training small enough for a test."""
    return lambda *arguments: program(*TINY, *arguments)


@pytest.fixture(scope="session")
def trained(shared, data_dir) -> Path:
    """A folder with the runs of `tiny("-m", "padding=same,valid", "seed=0")`, to be copied."""
    import train

    folder = shared / "trained"
    arguments = ("-m", f"data.data_dir={data_dir}", *TINY, "padding=same,valid", "seed=0")
    with FileLock(shared / "trained.lock"), pytest.MonkeyPatch.context() as patch:
        if not folder.exists():
            folder.mkdir()
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["train.py", *arguments])
            assert train.main() == 0
    return folder / "runs"


@pytest.fixture
def study(trained, tiny) -> Path:
    """The study of `trained`, in the empty folder in which `tiny` calls the program."""
    shutil.copytree(trained, "runs")
    return Path("runs", "default")


@pytest.fixture
def finished(trained, tiny) -> Path:
    """What `tiny()` leaves in the empty folder in which it is called: its run's directory."""
    cell = run_of(trained / "default", "same").parent
    study = Path("runs", "default")
    return shutil.copytree(cell, study / cell.name) / "seed=0"


@pytest.fixture(scope="session")
def prepared(data_dir) -> Path:
    """A folder in which these built sets are prepared."""
    for name in ("placed_digits", "mnist1d", "co2"):
        data.ensure(data.DataConfig(name, "built", data_dir=data_dir))
    return Path(data_dir)


@pytest.fixture(scope="session")
def digits(prepared) -> data.Data:
    return data.load(data.DataConfig("placed_digits", "built", data_dir=str(prepared)))
