"""The device of this machine, found without importing a framework."""

from __future__ import annotations

import ctypes.util
import functools
import importlib.util
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

CPUINFO, DRIVER = Path("/proc/cpuinfo"), Path("/dev/nvidiactl")
VISIBLE, HIDDEN = "CUDA_VISIBLE_DEVICES", ("", "-1")
# Dot products and matrix products of bfloat16 numbers, on x86 and ARM.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


# Instruction sets by which libraries choose their kernels, on x86 and ARM.
COMPUTES = re.compile(r"(sse|ssse|avx|fma|f16c|amx|asimd|sve|bf16|i8mm)")


@dataclass(frozen=True)
class Processor:
    """name: as the manufacturer writes it; instruction_sets: those that vectorised kernels use."""

    name: str
    instruction_sets: tuple[str, ...]

    @property
    def onednn(self) -> bool:
        """Whether oneDNN's kernels are the faster ones here: on x86 with AVX2 and more."""
        return "avx2" in self.instruction_sets


@dataclass(frozen=True)
class Device:
    """kind: cpu | gpu; name: the manufacturer's; bfloat16: whether the hardware computes it."""

    kind: str
    name: str
    bfloat16: bool


def find(backend: str, wanted: str = "auto") -> Device:
    """The first visible NVIDIA GPU if `backend` is installed with GPU support, else the CPU.

    Args:
        wanted: `cpu` ignores a GPU.
    """
    if wanted == "cpu" or not _has_cuda(backend):
        return _cpu()
    return _gpu(os.environ.get(VISIBLE)) or _cpu()


def why_no_gpu(backend: str) -> str | None:
    """Why `backend` cannot use a GPU here, and what to do; None if `find` finds one."""
    if find(backend).kind == "gpu":
        return None
    if os.environ.get(VISIBLE) in HIDDEN:
        return f"{VISIBLE}={os.environ[VISIBLE]} hides every GPU"
    if _gpu(os.environ.get(VISIBLE)) is None:
        return "no NVIDIA GPU was found (nvidia-smi lists the GPUs of a machine)"
    extra = {"jax": "gpu-jax"}.get(backend, "gpu")
    return (
        f"{backend} is installed without CUDA; install it with: "
        f"pip install -c constraints.txt -e '.[train,{extra}]'"
    )


def default_backend() -> str:
    """jax if only JAX is installed, else tensorflow."""
    return "jax" if installed("jax") and not installed("tensorflow") else "tensorflow"


def _has_cuda(backend: str) -> bool:
    if backend == "jax":
        return any(installed(f"jax_cuda{version}_plugin") for version in (12, 13))
    return installed("nvidia.cudnn") or ctypes.util.find_library("cudnn") is not None


def installed(module: str) -> bool:
    """Whether `module` can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@functools.cache
def _gpu(visible: str | None) -> Device | None:
    """The first GPU, given the value `visible` of `CUDA_VISIBLE_DEVICES`."""
    if visible in HIDDEN or not DRIVER.exists():
        return None
    query = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
        name, capability = answer.stdout.splitlines()[0].rsplit(",", 1)
        # bfloat16 arrived with Ampere, compute capability 8.0.
        return Device("gpu", name.strip(), float(capability) >= 8.0)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


def processor() -> Processor:
    """The processor of this machine."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or platform.machine()
    flags = f"{told.get('flags', '')} {told.get('Features', '')}".split()
    return Processor(name, tuple(sorted(flag for flag in set(flags) if COMPUTES.match(flag))))


def _cpu() -> Device:
    here = processor()
    bfloat16 = not BFLOAT16_FLAGS.isdisjoint(here.instruction_sets)
    return Device("cpu", here.name, bfloat16)
