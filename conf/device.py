"""What this machine computes on, found without importing a framework."""

from __future__ import annotations

import contextlib
import ctypes.util
import functools
import importlib.util
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Device:
    """kind: cpu | gpu; name: as the maker writes it; bfloat16: whether the hardware computes it."""

    kind: str
    name: str
    bfloat16: bool


@functools.cache
def find(backend: str) -> Device:
    """The first visible NVIDIA GPU, where `backend` is installed to use one, else the CPU."""
    gpu = _gpu() if _has_cuda(backend) else None
    cores = len(os.sched_getaffinity(0))
    return gpu or Device("cpu", f"{_cpu()['model name']}, {cores} cores", _cpu_has_bfloat16())


def default_backend() -> str:
    """tensorflow where it is installed, else jax."""
    return "tensorflow" if importlib.util.find_spec("tensorflow") else "jax"


def _has_cuda(backend: str) -> bool:
    if backend == "jax":
        return any(_installed(f"jax_cuda{version}_plugin") for version in (12, 13))
    return _installed("nvidia.cudnn") or ctypes.util.find_library("cudnn") is not None


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _gpu() -> Device | None:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not Path("/dev/nvidiactl").exists():
        return None
    query = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
        name, capability = answer.stdout.splitlines()[0].rsplit(",", 1)
        # bfloat16 arrived with Ampere, compute capability 8.0.
        return Device("gpu", name.strip(), float(capability) >= 8.0)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _cpu() -> dict[str, str]:
    """What the kernel says of the first core."""
    found = {"model name": platform.processor() or platform.machine()}
    with contextlib.suppress(OSError):
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
        pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
        found |= {key.strip(): value.strip() for key, value in pairs}
    return found


def _cpu_has_bfloat16() -> bool:
    flags = _cpu().get("flags", "").split() + _cpu().get("Features", "").split()  # x86, ARM
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)
