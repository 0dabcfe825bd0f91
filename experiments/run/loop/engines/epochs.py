"""The epochs of a training by chunks of steps, on the back end that runs."""

from __future__ import annotations

import keras

from data import AugmentConfig, Split
from experiments.run.loop.engines.chunks import ChunkedEpochs

_last: ChunkedEpochs | None = None


def of(model: keras.Model, train: Split, augment: AugmentConfig) -> ChunkedEpochs:
    """The epochs of a training; those of the last one if they are the same programs on the same
    data, as for the next seed of a cell.
    """
    global _last
    if _last is None or not _last.serves(model, train, augment):
        if _last is not None:
            _last.release()
        _last = None
        if keras.backend.backend() == "jax":
            from experiments.run.loop.engines.scan import ScannedEpochs

            _last = ScannedEpochs(model, train, augment)
        else:
            from experiments.run.loop.engines.graph_loop import LoopedEpochs

            _last = LoopedEpochs(model, train, augment)
    return _last


def swap(other: ChunkedEpochs | None) -> ChunkedEpochs | None:
    """Remember other epochs as the last ones; returns those that were. With it, trainings that take
    turns in a process each keep their own programs and data.
    """
    global _last
    before, _last = _last, other
    return before
