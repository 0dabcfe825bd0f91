"""Study folders as runs leave them, made in milliseconds: no network is trained."""

import json
from pathlib import Path

import numpy as np

from conf.presets import Declaration
from conf.schema import from_dict
from experiments.run.record import files
from experiments.study.plan import Cell, Plan
from models.padding import NAMED

BASE = {
    "model": {"name": "small_cnn", "kernel_size": 3},
    "data": {"name": "placed_digits", "source": "built"},
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "schedule": {"name": "constant"},
    "trainer": {"epochs": 2},
    "backend": "tensorflow",
}
START = {
    "time": "2026-01-02T03:04:05+00:00",
    "command": "python train.py -m padding=same,reflect seed=0,1 data.data_dir=/home/someone",
    "git": "0123456789abcdef0123456789abcdef01234567",
    "git_dirty": False,
    "source_hash": "0a1b2c3d4e5f",
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
    "device": "a processor",
    "threads": 2,
    "backend": "tensorflow",
    "precision": "float32",
    "jit": False,
}
FINGERPRINT = "placed_digits/1.0.0+0e4c474cb7aa"
ITEMS = 400
MARGINS = "below -4", "-4 to 0", "0 to 3"
# Paddings in the order of their mean accuracy, in per cent.
MEANS = {"same": 80.0, "reflect": 80.5, "valid": 60.0}


def outcomes(padding: str, seed: int, items: int = ITEMS) -> np.ndarray:
    """Which test items a run of this padding gets right; (items,) bool."""
    hardness = np.random.default_rng(seed).random(items)  # shared by a seed's paddings
    own = np.random.default_rng([seed, *padding.encode()]).normal(0, 0.03, items)
    return hardness + own < MEANS.get(padding, 75.0) / 100


def run(
    study: Path,
    padding: str = "same",
    seed: int = 0,
    *,
    right: np.ndarray | None = None,
    starts: list[dict] | None = None,
    fingerprint: str = FINGERPRINT,
    groups: np.ndarray | None = None,
    subsets: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    **changes: dict,
) -> Path:
    """Write a complete run and return its directory.

    `changes` are merged into the groups of its configuration: model={"kernel_size": 4}.
    """
    values = {"padding": {"amount": NAMED[padding].amount, "mode": NAMED[padding].mode}, **BASE}
    for group, change in changes.items():
        known = values.get(group, {})
        values[group] = {**known, **change} if isinstance(change, dict) else change
    config = from_dict(values | {"seed": seed, "study": study.name})
    right = outcomes(padding, seed) if right is None else right
    label = np.arange(len(right)) % 10 if labels is None else labels
    predictions = {
        "id": np.arange(len(right)),
        "label": label.astype(np.int32),
        "predicted": np.where(right, label, (label + 1) % 10).astype(np.int32),
        "probability": np.full(len(right), 0.5),
    }
    if groups is not None:
        predictions["source_id"] = groups
    results = {"test_accuracy": float(right.mean())}
    if subsets is None:
        thirds = zip(MARGINS, np.array_split(right, len(MARGINS)), strict=True)
        results["accuracy_by_margin"] = {
            name: {"accuracy": float(part.mean()), "n": len(part)} for name, part in thirds
        }
    else:
        predictions["subset"] = subsets
        inside = {name: subsets == name for name in dict.fromkeys(subsets.tolist())}
        results["test_accuracy"] = float(right[subsets == subsets[0]].mean())
        results["accuracy_by_subset"] = {
            name: {"accuracy": float(right[own].mean()), "n": int(own.sum())}
            for name, own in inside.items()
        }
    first = np.ones_like(right) if subsets is None else subsets == subsets[0]
    results["per_class_accuracy"] = {
        f"class {i}": float(right[first & (label == i)].mean()) for i in np.unique(label[first])
    }
    results |= {
        "validation_accuracy": float(right.mean()),
        "epochs": 2,
        "tested_epoch": 2,
        "parameters": 35994,
        "macs": 7225984,
        "final_map_size": [8, 8],
        "images_per_second": 1000.0,
        "step_ms": 64.0,
        "setup_seconds": 1.0,
        "train_seconds": 60.0,
    }
    directory = study / config.cell(fingerprint) / f"seed={seed}"
    files.write_json(directory / "config.json", config.to_dict())
    files.write_json(directory / "meta.json", {"starts": starts or [START]})
    files.write_json(directory / "data.json", {"fingerprint": fingerprint})
    files.write_csv(
        directory / "metrics.csv",
        [
            {
                "epoch": epoch,
                "loss": 1.0 / epoch,
                "accuracy": 0.4 * epoch,
                "validation_loss": 1.0,
                "validation_accuracy": 0.39 * epoch + seed / 1000,
                "learning_rate": 0.1,
                "images_per_second": 1000.0,
                "train_seconds": 30.0,
                "time": 1.0,
            }
            for epoch in (1, 2)
        ],
    )
    files.write_npz(directory / "predictions.npz", predictions, compressed=True)
    files.write_json(directory / "results.json", results)
    files.write_json(directory / "status.json", {"status": "COMPLETED"})
    return directory


def study(folder: Path, paddings=("same", "reflect", "valid"), seeds=range(6), **options) -> Path:
    """A study of these paddings and seeds, without a plan."""
    for padding in paddings:
        for seed in seeds:
            run(folder, padding, seed, **options)
    return folder


def plan(folder: Path, *, aliases=(), seeds=(), **declared) -> Plan:
    """Write a plan of what is in the folder.

    `aliases` are (padding, of which): cells without runs of their own; `seeds` are planned for
    every cell beside those that are there.
    """
    cells = {}
    names = {}
    for directory in sorted(folder.glob("*-*")):
        values = [json.loads(p.read_text()) for p in directory.glob("seed=*/config.json")]
        config = from_dict(values[0])
        there = {one["seed"] for one in values}
        names[config.padding.label] = directory.name
        cells[directory.name] = Cell(
            model=config.model.name,
            padding=config.padding.label,
            data=config.data.label,
            backend=config.backend,
            seeds=sorted(there | set(seeds)),
            signature="",
        )
    for padding, of in aliases:
        known = cells[names[of]]
        alias = {**known.__dict__, "padding": padding, "alias_of": names[of]}
        cells[f"{known.model}-{padding}-{known.data}-00000000"] = Cell(**alias)
    made = Plan(Declaration(**declared), ["python train.py -m sweep=some"], cells)
    made.write(folder)
    return made
