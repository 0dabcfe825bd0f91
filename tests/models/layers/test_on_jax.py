"""The same cases on the other back end, in a process of its own."""

import re
import subprocess
import sys

import keras
import pytest

from tests.helpers import environment


@pytest.mark.full
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is JAX")
def test_the_covering_set_on_jax():
    command = [sys.executable, "-m", "pytest", "-q", "tests/models/layers/test_covering.py"]
    done = subprocess.run(
        command, env=environment(KERAS_BACKEND="jax"), capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 50
