"""CI's script finds a Python of each version that runs, or says that there is none."""

import os
import re
import subprocess
import sys

import pytest

from conf.commandline import ROOT

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def choose(folder):
    """Run what chooses the Pythons, asked for this one's version twice, with `folder` as PATH."""
    source = (ROOT.parent / ".ci" / "run").read_text()
    part = re.search(r"^find_python\(\).*?^echo \"TensorFlow on[^\n]*\n", source, re.S | re.M)[0]
    part = part.replace("find_python 3.11", f"find_python {HERE}")
    environment = os.environ | {"PATH": f"{folder}:/nowhere", "HOME": str(folder / "home")}
    return subprocess.run(["/bin/bash", "-euo", "pipefail", "-c", part], env=environment,
                          capture_output=True, text=True)  # fmt: skip


@pytest.mark.skipif(HERE != "3.11", reason="asks for another version than 3.12 too")
@pytest.mark.parametrize("where", ["bin", "pyenv", "home"])
def test_a_name_that_refuses_to_run_is_passed_over(tmp_path, where):
    refuses = 'echo "pyenv: command not found" >&2; exit 127'
    script(tmp_path / f"python{HERE}", refuses)
    script(tmp_path / "python3.12", refuses)
    root = {"bin": tmp_path / "none", "pyenv": tmp_path / "root"}.get(where)
    if root:
        script(tmp_path / "pyenv", f"echo {root}")
    runs = {
        "bin": tmp_path / f"python{HERE}",
        "pyenv": tmp_path / "root" / "versions" / f"{HERE}.7" / "bin" / "python",
        "home": tmp_path / "home" / ".pyenv" / "versions" / f"{HERE}.7" / "bin" / "python",
    }[where]
    script(runs, f'exec {sys.executable} "$@"')
    done = choose(tmp_path)
    assert done.returncode == 0, done.stderr
    said, chosen = done.stdout.splitlines()
    assert said.startswith("No Python 3.12 was found: JAX is tested on Python 3.11 instead")
    assert chosen.count(f"Python {HERE}") == 2


def test_without_any_python_it_says_what_it_needs(tmp_path):
    done = choose(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("CI needs Python 3.11 and 3.12") and done.stderr.count("\n") == 1
