"""Small readers of what a run leaves."""

import contextlib
import csv
import ctypes
import logging
import os
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def full(*values: Any) -> Any:
    """Values of a parametrised test that `make test` leaves to `make test-all`."""
    return pytest.param(*values, marks=pytest.mark.full)


def slow(*values: Any) -> Any:
    """Values of a parametrised test that take long and that others like them stand for in CI."""
    return pytest.param(*values, marks=pytest.mark.slow)


def thinned(cases: Iterable[Any], every: int) -> list[Any]:
    """One of `every` cases for `make test`, the first among them; the others are full."""
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [full(*case) if i % every else pytest.param(*case) for i, case in enumerate(values)]


def only_run(folder: Path = Path("runs")) -> Path:
    """The directory of the one run there is."""
    (status,) = folder.glob("*/*/seed=*/status.json")
    return status.parent


def run_of(study: Path, padding: str) -> Path:
    """The directory of the one run with this padding."""
    (directory,) = study.glob(f"small_cnn-{padding}-*/seed=0")
    return directory


def read_back(folder: Path) -> Any:
    """The events of a folder, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    (file,) = folder.glob("events.out.tfevents.*")
    events = EventAccumulator(str(file), size_guidance={"scalars": 0, "tensors": 0, "images": 0})
    return events.Reload()


def environment(**variables: str) -> dict[str, str]:
    """A user's environment for a child process, and `variables`.

    Importing JAX, as some test may have done in this process, sets how much TensorFlow says.
    """
    inherited = {name: v for name, v in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return inherited | variables


@contextlib.contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Inside the block this thread can neither write to the folder nor to one below it.

    Root could, but for the privilege that it is without meanwhile (capabilities(7)).
    """
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    modes = [each.stat().st_mode for each in folders]
    for each in folders:
        each.chmod(0o555)
    override = 1 << 1  # CAP_DAC_OVERRIDE
    before = _capabilities()
    try:
        _set_capabilities([before[0] & ~override, *before[1:]])
        if os.access(folder, os.W_OK, effective_ids=True):
            pytest.skip("this system lets the tests' user write to any folder")
        yield
    finally:
        _set_capabilities(before)
        for each, mode in zip(folders, modes, strict=True):
            each.chmod(mode)


LIBC = ctypes.CDLL(None)
VERSION_3 = 0x20080522  # of the kernel's interface: two words each of the three sets


def _capabilities() -> list[int]:
    words = (ctypes.c_uint32 * 6)()
    assert LIBC.capget((ctypes.c_uint32 * 2)(VERSION_3, 0), words) == 0
    return list(words)


def _set_capabilities(words: list[int]) -> None:
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    assert LIBC.capset(header, (ctypes.c_uint32 * 6)(*words)) == 0


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Inside the block the system writes nothing to a file: each ends as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def trained_by(seed: int, study: str = "default") -> dict[str, Any]:
    """What a run's seed leaves: its weights, predictions and measures."""
    (run,) = Path("runs", study).glob(f"*/seed={seed}")
    import keras

    model = keras.saving.load_model(run / "model.keras", compile=False)
    weights = {f"weights{i}": value for i, value in enumerate(model.get_weights())}
    predictions = {f"predictions/{k}": v for k, v in np.load(run / "predictions.npz").items()}
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    measured = {
        f"{name}@{row['epoch']}": row[name] for row in rows for name in row if "loss" in name
    }
    return {**weights, **predictions, **measured}
