"""The workers of a sweep: how many the launcher starts, and which cores each one uses."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


def count(launcher: DictConfig) -> int:
    """The number of processes of a launcher: 1 except for joblib."""
    jobs = launcher.get("n_jobs", 1)
    cores = os.cpu_count() or 1
    return jobs if jobs > 0 else max(1, cores + 1 + jobs)


_held: list[object] = []  # this process's claim on its cores, held for its lifetime


def share_cores(folder: Path) -> None:
    """Pin this worker to its own cores, so that runs do not compete; only the first call counts.

    Args:
        folder: shared by the workers of one sweep; each claims a number in it.
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
