"""Starting JAX: threads, platform and cache of compiled programs; a check of its bfloat16."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import warnings
from collections.abc import Iterator
from typing import Any

from conf import device
from conf.reader import ConfigError
from data.config import cache_folder

PLATFORMS = "JAX_PLATFORMS"


@contextlib.contextmanager
def started(threads: int) -> Iterator[None]:
    """Start JAX, which must be imported inside the block.

    Args:
        threads: number of threads among which an operation is split on a CPU.

    Raises:
        ConfigError: there are more threads than cores, or the platform that `JAX_PLATFORMS` names
            is not available.
    """
    # Keras' mean IoU counts in 64 bits, which JAX has only if asked; 32 are enough for pixels.
    warnings.filterwarnings("ignore", "Explicitly requested dtype int64")
    _keep_compiled(threads)
    alone = device.find("jax").kind == "cpu"
    with _platform_told(), _as_if_on(threads) if alone else contextlib.nullcontext():
        yield


@functools.cache
def keeps_bfloat16() -> bool:
    """Whether two convolutions in bfloat16 give the correct result; takes half a second on a CPU.

    At least from JAX 0.11.2 to 0.12.0.1 the result is NaN on CPUs if the convolutions are fused
    with the following operations; without the fusion, and on GPUs, it is correct.
    """
    import jax

    if jax.default_backend() != "cpu":
        return True
    import numpy as np

    chance = np.random.default_rng(0)
    shapes = ((1, 16, 16, 1), (3, 3, 1, 32), (3, 3, 32, 32))
    numbers = [chance.uniform(0, 1, shape).astype(np.float32) for shape in shapes]

    def mean(x: Any, *kernels: Any, dtype: str) -> Any:
        x = x.astype(dtype)
        for kernel in kernels:
            layout = ("NHWC", "HWIO", "NHWC")
            x = jax.lax.conv_general_dilated(x, kernel.astype(dtype), (1, 1), "SAME",
                                             dimension_numbers=layout)  # fmt: skip
            x = jax.nn.relu(x)
        return x.astype("float32").mean((1, 2))

    found, expected = (
        np.asarray(jax.jit(functools.partial(mean, dtype=dtype))(*numbers))
        for dtype in ("bfloat16", "float32")
    )
    return bool(np.allclose(found, expected, rtol=0.05))


def _keep_compiled(threads: int) -> None:
    """Let JAX cache compiled programs, because compiling takes most of a short run.

    Programs depend on the kind of processor and the number of threads, so each has a folder.
    """
    here = f"{device.processor()} {threads}"
    folder = cache_folder("jax") / hashlib.sha256(here.encode()).hexdigest()[:12]
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")


@contextlib.contextmanager
def _platform_told() -> Iterator[None]:
    """Report if JAX cannot start on the platform that `JAX_PLATFORMS` names."""
    try:
        yield
        importlib.import_module("jax").devices()
    except (RuntimeError, AssertionError) as error:
        if not os.environ.get(PLATFORMS):
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            f"{PLATFORMS}={os.environ[PLATFORMS]}: JAX cannot start there ({why}); unset it, or "
            "use device=cpu"
        ) from error


@contextlib.contextmanager
def _as_if_on(cores: int) -> Iterator[None]:
    """Start JAX as if on this number of cores, the only way to set XLA's number of threads.

    Raises:
        ConfigError: the machine has fewer.
    """
    own = os.sched_getaffinity(0)
    others = [core for core in range(os.cpu_count() or 1) if core not in own]
    chosen = [*sorted(own), *others][:cores]
    try:
        if len(chosen) < cores:
            raise OSError
        os.sched_setaffinity(0, chosen)
    except OSError:  # there are too few, or we may not use them
        raise ConfigError(
            f"trainer.threads={cores}: JAX has at most one thread per core, and this machine "
            f"has {len(own) + len(others)}"
        ) from None
    try:
        yield
        importlib.import_module("jax").devices()  # XLA counts the cores here
    finally:
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(OSError):  # the thread has ended
                os.sched_setaffinity(int(thread), own)
