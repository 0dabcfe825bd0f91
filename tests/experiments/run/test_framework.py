import json
import os
import subprocess
import sys

import pytest

from conf import device
from conf.commandline import ROOT
from conf.reader import ConfigError
from experiments.run import framework
from tests.helpers import full


def test_a_second_backend_in_one_process_is_refused():
    framework.start("tensorflow")
    with pytest.raises(ConfigError, match="already runs tensorflow"):
        framework.start("jax")


def test_a_keras_that_was_imported_before_a_back_end_was_chosen_is_noticed(monkeypatch):
    framework.start("tensorflow")
    monkeypatch.delenv("KERAS_BACKEND")
    with pytest.raises(ConfigError, match="already runs tensorflow"):
        framework.start("jax")


def test_a_gpu_that_the_backend_cannot_use_is_an_error_and_not_a_slow_run(monkeypatch):
    gpu = device.Device("gpu", "GPU of the future", bfloat16=True)
    monkeypatch.setattr(device, "find", lambda backend, wanted="auto": gpu)
    with pytest.raises(ConfigError, match="cannot use the GPU of the future"):
        framework.start("tensorflow")


def test_a_fresh_start_repeats_its_weights_and_names():
    import keras

    found = []
    for _ in range(2):
        framework.fresh(precision="float32", seed=0)
        layer = keras.layers.Dense(2)
        layer.build((None, 3))
        found.append((layer.name, layer.kernel.numpy().tolist()))
    assert found[0] == found[1]


def test_versions_name_what_decides_the_numbers():
    found = framework.versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"keras", "tensorflow", "numpy"} <= set(found)


STARTED = """
import json, sys
from pathlib import Path
from conf import device
from experiments.run import framework
flags, threads = sys.argv[1:]
if flags:
    device.CPUINFO = Path(flags)
framework.start("tensorflow", int(threads) if threads else None)
import tensorflow
print(json.dumps({
    "onednn": framework.onednn("tensorflow"),
    "threads": framework.threads(),
    "taken": tensorflow.config.threading.get_intra_op_parallelism_threads(),
}))
"""


def started(flags="", threads="", **environment):
    """What a process finds after it has started TensorFlow."""
    kept = {k: v for k, v in os.environ.items() if k != framework.ONEDNN}
    answer = subprocess.run(
        [sys.executable, "-c", STARTED, str(flags), str(threads)],
        cwd=ROOT.parent, env=kept | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(answer.stdout)


@pytest.mark.full
def test_onednn_and_threads_are_the_processors_unless_the_user_has_chosen():
    found = started()
    assert found["onednn"] is device.processor().onednn
    assert found["threads"] == found["taken"] == device.cores()
    other = not device.processor().onednn
    found = started(threads=3, **{framework.ONEDNN: f"{other:d}"})
    assert found == {"onednn": other, "threads": 3, "taken": 3}


@pytest.mark.full
def test_onednn_is_off_on_an_old_processor(tmp_path):
    old = tmp_path / "cpuinfo"
    old.write_text("model name: Some CPU\nflags: sse4_2 avx\n")
    assert started(flags=old)["onednn"] is False


def test_other_threads_than_those_that_run_are_refused():
    framework.start("tensorflow")
    running = framework.threads()
    framework.start("tensorflow", running)
    with pytest.raises(ConfigError, match=f"already computes with {running}; start another"):
        framework.start("tensorflow", running + 1)


def on_jax(wanted, platforms):
    """How a process ends that starts JAX."""
    code = (
        "import sys; from experiments.run import framework\n"
        "try:\n    framework.start('jax', wanted=sys.argv[1])\n"
        "except Exception as error:\n    sys.exit(f'{type(error).__name__}: {error}')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, wanted], cwd=ROOT.parent, capture_output=True, text=True,
        env=os.environ | {"JAX_PLATFORMS": platforms},
    )  # fmt: skip


@pytest.mark.full
@pytest.mark.skipif(device.find("jax").kind == "gpu", reason="is about machines without a GPU")
@pytest.mark.parametrize("platforms", ["cuda", full("nonsense")])
def test_a_platform_that_jax_cannot_start_on_is_named(platforms):
    ended = on_jax("auto", platforms)
    assert ended.returncode == 1
    said = ended.stderr.strip().splitlines()[-1]
    assert said.startswith(f"ConfigError: JAX_PLATFORMS={platforms}: JAX cannot start there (")
    assert said.endswith("unset it, or use device=cpu")


@pytest.mark.full
@pytest.mark.parametrize("platforms", ["cuda", "nonsense"])
def test_a_device_that_is_asked_for_does_not_depend_on_the_platform(platforms):
    assert on_jax("cpu", platforms).returncode == 0
