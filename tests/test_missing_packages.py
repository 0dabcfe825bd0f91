"""A package that is missing, or fails to import, in a user's process: one line that names it."""

import subprocess
import sys

import pytest

from conf.commandline import ROOT
from tests.conftest import TINY
from tests.helpers import environment, full

CHECKOUT = ROOT.parent
MISSING = "raise ModuleNotFoundError(f\"No module named '{__name__}'\", name=__name__)"
BROKEN = "raise ImportError('libbroken.so: cannot open shared object file')"


@pytest.fixture
def call(tmp_path):
    """`call(package, content, …)` runs Python where that is all of the package."""

    def run(package, content, *arguments):
        (tmp_path / "packages" / package).mkdir(parents=True)
        (tmp_path / "packages" / package / "__init__.py").write_text(content)
        path = f"{tmp_path / 'packages'}:{CHECKOUT}"
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, text=True, capture_output=True,
            env=environment(PYTHONPATH=path), timeout=300,
        )  # fmt: skip

    return run


def check(ended, package):
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith(f"error: the package {package}"), ended.stderr
    assert "install -c constraints.txt " in ended.stderr.replace(" --force-reinstall", "")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [MISSING, BROKEN], ids=["missing", "broken"])
@pytest.mark.parametrize("package", ["hydra", full("rich"), full("filelock")])
def test_one_that_the_program_begins_with(call, package, content):
    check(call(package, content, str(CHECKOUT / "train.py")), package)


@pytest.mark.parametrize("package", ["matplotlib", full("scipy"), full("tensorboard")])
def test_one_that_a_report_begins_with(call, package):
    check(call(package, MISSING, "-m", "experiments.report", "runs/default"), package)


@pytest.mark.full
@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("toml", []),
        full("array_record", []),
        full("h5py", []),
        full("jaxlib", ["backend=jax"]),
    ],
)
def test_one_that_a_training_needs(call, prepared, package, arguments):
    folder = f"data.data_dir={prepared}"
    ended = call(package, MISSING, str(CHECKOUT / "train.py"), folder, *TINY, *arguments)
    check(ended, package)


@pytest.mark.parametrize(
    ("package", "data_set"),
    [("sklearn", "placed_digits"), full("mnist1d", "mnist1d"), full("statsmodels", "co2")],
)
def test_one_that_a_data_set_is_made_with(call, tmp_path, package, data_set):
    arguments = (f"data={data_set}", f"data.data_dir={tmp_path / 'prepared'}")
    check(call(package, MISSING, "-m", "data.prepare", *arguments), package)
