import sys

import pytest

from conf import device
from conf.reader import ConfigError
from experiments.run import framework


def test_a_second_backend_in_one_process_is_refused():
    framework.start("tensorflow")
    with pytest.raises(ConfigError, match="already runs tensorflow"):
        framework.start("jax")


def test_a_gpu_that_the_backend_cannot_use_is_an_error_and_not_a_slow_run(monkeypatch):
    gpu = device.Device("gpu", "GPU of the future", bfloat16=True)
    monkeypatch.setattr(device, "find", lambda backend: gpu)
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
