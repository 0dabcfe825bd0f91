"""vgg16 at full width on cifar10: the user's command, and the same training in PyTorch."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from conf import device
from experiments.benchmarks.gpu import processes
from experiments.benchmarks.gpu.sections.gpu_mission import run_results
from experiments.benchmarks.gpu.setting import Cost, Setting
from experiments.run.record import files

PLACE = 3
TITLE = "vgg16 on cifar10, compared with PyTorch"
ASKS = (
    "train.py with vgg16 at full width on cifar10 (data=npz), and the same network, batches, "
    "augmentation, schedule and AdamW in PyTorch, channels last, under autocast."
)
GOAL = "images/s at least those of PyTorch"
SECONDS = Cost(least=60, most=150, tiny=20)
FILE = "CIFAR10"  # environment variable: an npz file of cifar10, or a packed one beside unpack.py
RECIPE = (
    "model=vgg16",
    "data=npz",
    "data.name=cifar10",
    "data.augment.flip=true",
    "data.augment.crop=4",
    "trainer.epochs=6",
    "trainer.batch_size=256",
)
SHORT = ("model.width=0.0625", "trainer.epochs=1", "trainer.batch_size=32")
FOR_THE_PEER = 45.0


def measure(setting: Setting) -> None:
    path = pixels(setting)
    overrides = (*RECIPE, *(SHORT if setting.tiny else ()), f"data.path={path}")
    ended = setting.train("padzoo", *overrides, "study=cifar")
    if ended.code != 0:
        raise RuntimeError(ended.why())
    (run,) = (file.parent for file in setting.runs.glob("cifar/*/seed=*/results.json"))
    results = run_results(run)
    _row(setting, "padzoo", results, ended.seconds)
    ratio = _peer(setting, overrides, results)
    setting.record.say(
        n=f"1 run of {results['epochs']} epochs each",
        summary=f"{100 * results['test_accuracy']:.1f} %, "
        f"{results['images_per_second']:,.0f} images/s{ratio}",
    )


def pixels(setting: Setting) -> Path:
    """The npz file of cifar10's pixels, or, in a rehearsal without it, of generated ones.

    Raises:
        RuntimeError: the file is missing; the message says what to do.
    """
    named = os.environ.get(FILE)
    if setting.tiny:
        return _made_up(setting.work / "made_up.npz")
    if not named or not Path(named).is_file():
        raise RuntimeError(f"set {FILE} to an npz file of cifar10 (x_train, y_train, …)")
    with np.load(named) as file:
        if "x_train" in file.files:
            return Path(named).resolve()
    target = setting.work / "cifar10_pixels.npz"
    unpack = Path(named).resolve().with_name("unpack.py")
    log = setting.work / "logs" / "unpack.log"
    command = [sys.executable, str(unpack), str(target)]
    ended = processes.run(command, seconds=setting.left, log=log)
    if ended.code != 0:
        raise RuntimeError(f"unpacking {named}: {ended.why()}")
    return target


def _made_up(path: Path) -> Path:
    """Images of noise; each class has its own brightness."""
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 96), ("test", 32)):
        labels = np.arange(count) % 10
        noise = random.integers(0, 100, (count, 32, 32, 3))
        arrays[f"x_{split}"] = (noise + 15 * labels[:, None, None, None]).astype(np.uint8)
        arrays[f"y_{split}"] = labels
    files.write_npz(path, arrays)
    return path


def _peer(setting: Setting, overrides: tuple[str, ...], ours: dict[str, Any]) -> str:
    """Train the same in PyTorch; returns the text to add to the summary."""
    if not device.installed("torch"):
        setting.record.note("PyTorch is not installed: there is no comparison.")
        return ", no peer"
    if not setting.enough(20 if setting.tiny else FOR_THE_PEER, "PyTorch"):
        return ", no peer"
    request = {"what": "cifar", "overrides": [*overrides, f"trainer.precision={setting.precision}"]}
    log = setting.work / "logs" / "cifar-torch.log"
    with setting.noted("PyTorch"):
        theirs = processes.ask(
            "experiments.benchmarks.pytorch.torch_speed", request, seconds=setting.left, log=log
        )
        _row(setting, "PyTorch", theirs, theirs["process_seconds"])
        return f", {ours['images_per_second'] / theirs['images_per_second']:.2f} × PyTorch"
    return ", the peer failed"


def _row(setting: Setting, loop: str, found: dict[str, Any], seconds: float) -> None:
    setting.record.row(
        "A training",
        loop=loop,
        precision=setting.precision,
        epochs=found["epochs"],
        process_seconds=round(seconds, 1),
        training_seconds=round(found["train_seconds"], 1),
        images_per_second=round(found["images_per_second"]),
        test_accuracy=round(100 * found["test_accuracy"], 2),
    )
