"""Starts Keras on the chosen back end, once per process, and resets it for every run."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import logging
import os
import platform
import sys
import threading
from typing import Any

from conf import device
from conf.reader import ConfigError
from conf.schema import BACKENDS
from experiments.run import on_jax
from experiments.run.quiet import quiet

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"  # read by TensorFlow when it is imported
LIBRARIES = ("keras", "tensorflow", "jax", "numpy", "tensorflow-datasets", "hydra-core")


# Set by Ctrl-C and SIGTERM in addition to their exception, which other code may swallow.
INTERRUPTED = threading.Event()


_threads: int | None = None  # of the running back end; None on a GPU


def start(backend: str, threads: int | None = None, wanted: str = "auto") -> None:
    """Import Keras on `backend`. The back end is fixed at import, so a second one is refused.

    Args:
        threads: number of threads among which one operation is split on a CPU; by default one for
            each core that the process may use. It is also fixed by the first call.
        wanted: `gpu` requires a GPU, `cpu` ignores it, `auto` uses it if there is one.

    Raises:
        ConfigError: another back end or number of threads is already in use; or a GPU is missing or
            cannot be used.
    """
    global _threads
    # Not by the environment: whoever imports Keras before it is set gets Keras' own choice.
    running = sys.modules["keras"].config.backend() if "keras" in sys.modules else None
    if running is not None and running != backend:
        raise ConfigError(
            f"backend={backend}: this process already runs {running}; start another process"
        )
    check_installed(backend)
    if wanted == "gpu" and (why := device.why_no_gpu(backend)):
        raise ConfigError(f"device=gpu: {why}; or use device=cpu")
    if wanted == "cpu":
        os.environ[device.VISIBLE] = "-1"
        os.environ[on_jax.PLATFORMS] = "cpu"
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    choose_onednn()
    if _threads is None:
        _threads = threads or device.cores()
    elif threads not in (None, _threads):
        raise ConfigError(
            f"trainer.threads={threads}: this process already computes with {_threads}; "
            "start another process"
        )
    with quiet(), on_jax.started(_threads) if backend == "jax" else contextlib.nullcontext():
        importlib.import_module(backend)
        importlib.import_module("keras")
        importlib.import_module("h5py")  # Keras starts without it, but cannot save
        if backend != "tensorflow" and device.installed("tensorflow"):
            _keep_tensorflow_off_the_gpu()
    if backend == "tensorflow":
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # a sweep traces again for each run
        _grow_memory()
        _share_among_threads()
    if device.find(backend).kind == "gpu" and not _sees_gpu(backend):
        raise ConfigError(
            f"{backend} cannot use the {device.find(backend).name}: repair its CUDA installation, "
            "or use device=cpu"
        )


def choose_onednn() -> None:
    """Turn on oneDNN in TensorFlow if that is faster, unless the user has chosen.

    By default TensorFlow uses it only if the processor has AVX-512, and without it these networks
    train two to four times more slowly. The choice must be made before TensorFlow is imported.
    """
    os.environ.setdefault(ONEDNN, str(int(device.processor().onednn)))


def check_installed(backend: str) -> None:
    """`ConfigError`, with what to do, unless `backend` is installed; imports nothing heavy."""
    if device.installed(backend):
        return
    others = [name for name in BACKENDS if device.installed(name)]
    raise ConfigError(
        f"backend={backend} is not installed; install it with: "
        f"pip install -c constraints.txt -e '.[train,{backend}]'"
        + f", or use backend={others[0]}, which is installed"
        * bool(others)
    )


def fresh(*, precision: str, seed: int) -> None:
    """Clear the layer names, policy and random state of the last run, and seed this one.

    Raises:
        ConfigError: for a precision in which the back end computes wrong results here.
    """
    import keras

    if "bfloat16" in precision and keras.backend.backend() == "jax" and not on_jax.keeps_bfloat16():
        raise ConfigError(
            f"trainer.precision={precision}: JAX {importlib.metadata.version('jax')} computes "
            "wrong results for convolutions in bfloat16 on this CPU; use "
            "trainer.precision=float32, or JAX below 0.11.2"
        )
    if keras.backend.backend() == "tensorflow":
        _forget_gradients()
    keras.utils.clear_session(free_memory=True)
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(int(seed))


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that affect the results of a run."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def threads() -> int | None:
    """The number of threads among which an operation is split; None before a back end runs."""
    return _threads


def onednn(backend: str) -> bool | None:
    """Whether TensorFlow uses, or will use, oneDNN here; None on another back end."""
    if backend != "tensorflow":
        return None
    if "tensorflow" not in sys.modules:
        chosen = os.environ.get(ONEDNN)
        return device.processor().onednn if chosen is None else chosen.lower() in ("1", "true")
    from tensorflow.python.framework import test_util

    return bool(test_util.IsMklEnabled())


def _forget_gradients() -> None:
    """Release the graphs of the last run.

    TensorFlow keeps every traced custom gradient in a registry that is never emptied, and with each
    the whole graph: 9 MB per run.
    """
    from tensorflow.python.framework import ops

    registry = ops.gradient_registry._registry
    for name in [name for name in registry if name.startswith("CustomGradient-")]:
        del registry[name]


def _sees_gpu(backend: str) -> bool:
    if backend == "jax":
        import jax

        return any(found.platform == "gpu" for found in jax.devices())
    import tensorflow

    return bool(tensorflow.config.list_physical_devices("GPU"))


def _keep_tensorflow_off_the_gpu() -> None:
    """Hide the GPU from TensorFlow, which Keras imports on every back end to seed it."""
    import tensorflow

    with contextlib.suppress(RuntimeError):  # it has started already
        tensorflow.config.set_visible_devices([], "GPU")


def _share_among_threads() -> None:
    import tensorflow

    # Once TensorFlow has started it refuses the change; then it was made by the first run.
    with contextlib.suppress(RuntimeError):
        tensorflow.config.threading.set_intra_op_parallelism_threads(_threads)


def _grow_memory() -> None:
    import tensorflow

    for gpu in tensorflow.config.list_physical_devices("GPU"):
        # Once TensorFlow has started it refuses the change; then it was made by the first run.
        with contextlib.suppress(RuntimeError):
            tensorflow.config.experimental.set_memory_growth(gpu, True)


def variables(model: Any) -> list[Any]:
    """Everything that training changes: weights, statistics, random states, optimizer state."""
    return [*model.variables, *model.optimizer.variables]
