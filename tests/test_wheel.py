"""The wheel, in an environment of its own with JAX and without the extra `train`.

Its page's code runs there outside the checkout, as a user of the library writes it.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import models
from tests.helpers import environment

pytestmark = pytest.mark.environment
CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = (CHECKOUT / "docs" / "library.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LARGEST = 200_000  # bytes: sources and nothing else
IMPORTS = """
import json, sys, time
begun = time.perf_counter()
import keras
of_keras = set(sys.modules)
between = time.perf_counter()
import padzoo
seconds = [between - begun, time.perf_counter() - between]
more = {name.split(".")[0] for name in set(sys.modules) - of_keras} - sys.stdlib_module_names
print(json.dumps({"seconds": seconds, "more": sorted(more), "file": padzoo.__file__,
                  "version": padzoo.__version__}))
"""
TYPED = """
import padzoo

layer: int = padzoo.Conv2D
padzoo.build("small_cnn", input_shape=(32, 32, 3), num_classes="ten")
padzoo.nothing
reveal_type(padzoo.lint)
"""


def log(text):
    """A line for whoever reads CI's output."""
    print(f"wheel: {text}", flush=True)


def call(*command, cwd, **variables):
    command = [str(part) for part in command]
    env = environment(**variables) | {"PYTHONPATH": ""}
    ended = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the checkout's sources."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "models", folder / "models", ignore=ignored)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", ".")
    call(*pip, cwd=folder)
    (file,) = (folder / "dist").iterdir()
    return file


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of an environment that has the wheel and JAX."""
    folder, begun = tmp_path_factory.mktemp("environment"), time.perf_counter()
    call(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "-c", CHECKOUT / "constraints.txt", wheel, "jax", cwd=folder)
    log(f"installed with JAX in {time.perf_counter() - begun:.0f} s")
    return python


def test_it_is_small_and_holds_the_sources_and_the_licence(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        metadata = file.read(next(n for n in names if n.endswith("METADATA"))).decode()
    sources = {f.relative_to(CHECKOUT / "models").as_posix()
               for f in (CHECKOUT / "models").rglob("*.py")}  # fmt: skip
    held = {name.removeprefix("padzoo/") for name in names if name.startswith("padzoo/")}
    assert held == sources | {"py.typed"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < LARGEST
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert needed == ["keras", "numpy", "scipy"]
    assert f"\nVersion: {models.__version__}\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    log(f"{wheel.stat().st_size:,} bytes, {len(held)} files")


def test_the_page_runs_outside_the_checkout(python, tmp_path):
    (tmp_path / "snippet.py").write_text("\n".join(SNIPPETS))
    assert call(python, "snippet.py", cwd=tmp_path, KERAS_BACKEND="jax") == ""
    assert (tmp_path / "model.keras").exists()


def test_stored_networks_of_the_project_load(python, tmp_path):
    files = sorted(map(str, (CHECKOUT / "tests" / "stored_runs" / "networks").glob("*.keras")))
    load = "import padzoo, keras, sys; print(*map(keras.saving.load_model, sys.argv[1:]))"
    said = call(python, "-c", load, *files, cwd=tmp_path, KERAS_BACKEND="jax")
    assert files and said.count("<Functional") == len(files)


def test_importing_it_imports_keras_numpy_and_scipy_alone(python, tmp_path):
    said = json.loads(call(python, "-c", IMPORTS, cwd=tmp_path, KERAS_BACKEND="jax"))
    assert said["version"] == models.__version__
    assert not Path(said["file"]).is_relative_to(CHECKOUT)
    assert set(said["more"]) <= {"padzoo", "scipy", "numpy"}
    keras_takes, ours = said["seconds"]
    log(f"import keras {keras_takes:.1f} s, then padzoo {ours:.2f} s; adds {said['more']}")
    assert ours < max(1.0, keras_takes)


def test_its_types_are_seen(python, tmp_path):
    (tmp_path / "typed.py").write_text(TYPED)
    mypy = (sys.executable, "-m", "mypy", "--python-executable", python, "typed.py")
    ended = subprocess.run(
        [*map(str, mypy), "--ignore-missing-imports", "--follow-imports=silent"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    *errors, _ = ended.stdout.splitlines()
    assert "Incompatible types in assignment" in errors[0]
    assert 'expected "int"' in errors[1]
    assert 'Module has no attribute "nothing"' in errors[2]
    assert "keras.src" not in errors[3] and "list[padzoo.geometry.findings" in errors[3]
