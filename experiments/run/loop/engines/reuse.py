"""One compiled model for the seeds of a cell that a process trains one after the other.

Keras traces and compiles the steps of every new model. The programs of two seeds differ in nothing
but the values of their variables, so the second seed's values are put into the first one's model.
"""

from __future__ import annotations

import keras

from experiments.run import framework

_last: tuple[str, keras.Model] | None = None


def compiled(model: keras.Model, cell: str) -> keras.Model:
    """A model with the state of this one, whose steps may be compiled already.

    Args:
        model: built and compiled for a run, not yet trained.
        cell: identifies all settings of the run but its seed.

    Returns:
        The model of the last call if it was the same network of the same cell, with the variables
        of `model`; otherwise `model` itself. A seed that is part of a layer, as that of a random
        border, makes another network.
    """
    global _last
    same = f"{cell} {model.to_json()}"
    if _last is None or _last[0] != same:
        _last = (same, model)
        return model
    known = _last[1]
    for variable, own in zip(framework.variables(known), framework.variables(model), strict=True):
        variable.assign(own)
    known.stop_training = False
    return known
