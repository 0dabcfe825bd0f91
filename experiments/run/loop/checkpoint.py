"""The exact state of a training between two epochs, in one file.

Weights, batch statistics, the states of dropout's random generators, the optimizer with its
iteration count, and the history of metrics are stored together, so a kill can never leave a new
checkpoint with an old history.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.run.framework import variables
from experiments.run.record.files import content_of, read_npz, write_npz


class CheckpointError(ValueError):
    """A checkpoint cannot be read or belongs to another model; the message names it."""


def save(path: Path, model: Any, state: dict[str, Any], best: Sequence[Any] = ()) -> None:
    """Write the model's and optimizer's variables and `state` (JSON values), atomically.

    `best` are the weights to restore at the end, if the training does that.
    """
    import numpy as np

    arrays = {f"{i:05d}": np.asarray(v) for i, v in enumerate(variables(model))}
    arrays |= {f"best{i:05d}": np.asarray(v) for i, v in enumerate(best)}
    paths = [v.path for v in variables(model)]
    write_npz(path, {**arrays, "state": np.array(json.dumps({"state": state, "paths": paths}))})


def restore(path: Path, model: Any) -> dict[str, Any]:
    """Load the variables into the compiled, built `model`; returns `state`, with `best` in it.

    Raises:
        CheckpointError: the file is damaged, or its variables are not the model's.
    """
    targets = variables(model)
    try:
        file = read_npz(path)
        with content_of(path):
            saved = json.loads(str(file["state"]))
            state, paths = dict(saved["state"]), list(saved["paths"])
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: start again with rerun=true") from error
    values = [array for name, array in file.items() if name.isdecimal()]
    best = [array for name, array in file.items() if name.startswith("best")]
    shapes = [tuple(v.shape) for v in targets]
    if [v.shape for v in values] != shapes or len(paths) != len(targets):
        raise CheckpointError(f"{path} belongs to another model: start again with rerun=true")
    for target, value in zip(targets, values, strict=True):
        target.assign(value)
    return {**state, "best": best}
