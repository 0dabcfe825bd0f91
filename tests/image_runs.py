"""Runs on tiny data of their own whose networks give images, to be measured and used again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from tests.helpers import full, only_run

RNG = np.random.default_rng(0)
SIDE = 24
GREY = np.kron(RNG.integers(0, 256, (40, 6, 6, 1)), np.ones((1, 4, 4, 1))).astype(np.uint8)
MASKS = (GREY[..., 0] // 100).astype(np.int64)  # three classes
MASKS[:, 0, :3] = -1
TARGETS = 3 * GREY.astype(np.float32) + 1000  # pictures in units of their own
UNET = ("model=unet", "model.depth=1", "model.width=2")
SETS = {
    "segmentation": (GREY, MASKS, (*UNET, "task=segmentation")),
    "valid": (GREY, MASKS, (*UNET, "task=segmentation", "padding=valid")),
    "resized": (GREY, MASKS, (*UNET, "task=segmentation", "data.resize=12")),
    "reconstruction": (GREY, TARGETS, ("model=autoencoder", "model.widths=[3,4]")),
    "super_resolution": (GREY, None, ("model=subpixel", "model.widths=[3]", "model.factor=2")),
    "colour": (
        np.moveaxis(np.concatenate([GREY, GREY[::-1], 255 - GREY], -1), -1, 1),
        None,
        ("model=autoencoder", "model.widths=[3,4]", "data.layout=channels_first"),
    ),
}
KINDS = ["segmentation", full("valid"), full("reconstruction"), full("super_resolution")]


def npz(path: Path, x: np.ndarray, y: np.ndarray | None, train: int = 32) -> Path:
    """A file whose last examples are the test split."""
    arrays = {"x_train": x[:train], "x_test": x[train:]}
    if y is not None:
        arrays |= {"y_train": y[:train], "y_test": y[train:]}
    np.savez(path, **arrays)
    return path


def trained(program: Callable[..., Any], shared: Path, kind: str) -> Path:
    """The directory of the run of a kind, one of `SETS`, trained once and to be copied."""
    folder = shared / f"images_{kind}"
    with FileLock(shared / f"images_{kind}.lock"):
        if not folder.exists():
            folder.mkdir()
            x, y, overrides = SETS[kind]
            path = npz(folder / "own.npz", x, y)
            outcome = program(
                *("data=npz", f"data.path={path}", f"runs_dir={folder / 'runs'}", *overrides),
                *("data.validation=0", "trainer.epochs=2", "trainer.batch_size=16"),
                "trainer.progress=false",
            )
            assert outcome.code == 0, outcome.err
    return only_run(folder / "runs")


def copied(run: Path, kind: str) -> Path:
    """A copy of a run in the current folder."""
    return Path(shutil.copytree(run, f"{kind}_run"))


def read(run: Path, name: str) -> Any:
    """The content of a JSON file of a run."""
    return json.loads((run / name).read_text())
