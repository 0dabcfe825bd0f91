"""A sweep's workers: how many the launcher starts, and the cores that each keeps to."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


def count(launcher: DictConfig) -> int:
    """How many processes a launcher, as Hydra composes it, uses: 1 but for joblib."""
    jobs = launcher.get("n_jobs", 1)
    cores = os.cpu_count() or 1
    return jobs if jobs > 0 else max(1, cores + 1 + jobs)


_held: list[object] = []  # this process's share of the cores, as long as it lives


def share_cores(folder: Path) -> None:
    """Keep to this worker's share of the cores, so that runs do not fight; the first call decides.

    Args:
        folder: shared by the workers of one sweep; in it each claims a number.
    """
    many = count(HydraConfig.get().launcher)
    if _held or many == 1:
        return
    cores = sorted(os.sched_getaffinity(0))
    for number in range(many):
        slot = FileLock(folder / f"worker-{number}", blocking=False)
        try:
            slot.acquire()
        except Timeout:
            continue
        _held.append(slot)
        os.sched_setaffinity(0, cores[number::many] or [cores[number % len(cores)]])
        return
