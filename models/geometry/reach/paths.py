"""How often each input pixel is read on the way to the last map.

Every kernel is taken as all ones and every merge as a sum, so that a pixel's number is that of
the paths from it to the outputs, and a border counts as what it copies: Alsallakh et al. 2021,
"Mind the pad" (arXiv:2010.02178), call the map a foveation map. It is the gradient of the sum of
the outputs, computed backwards through the matrices of `models.geometry.reach.responses`.
"""

from __future__ import annotations

import math

import keras
import numpy as np

from ..tracing.graph import Step, TraceError, known_sizes
from ..tracing.kinds import kind_of
from ..tracing.trace import Followed, follow
from .responses import MOVES, response_of

LARGEST = 2.0**900  # the doubles end near 2^1024


def paths(
    model: keras.Model, outputs: np.ndarray | None = None, to: str | None = None
) -> np.ndarray:
    """Count the paths from each input pixel to a map.

    Max pools count every tap on the map; average pools weigh as the layer does, so that their
    paths count one in all; constants and learned values in a border come from no pixel; `mean`
    (and `random`, whose expectation it is) comes from all pixels of its map; `odd_reflect` has
    signs; `partial` scales what is there. Gates count as ones. With `even_split` the corners are
    averaged over the channels, which are taken as mixed behind every layer.

    Args:
        model: functional or built sequential, with one input of known size,
            (batch, *spatial, channels).
        outputs: weights of the map's pixels, (*map,); None for ones.
        to: the name of a row of the trace whose map it is; None for the last map.

    Returns:
        Floats of shape (height, width) or (steps,). Exact up to 2^53; where counts would exceed
        what a float holds, all are in units of some power of two.

    Raises:
        TraceError: as `models.geometry.trace`, for an unknown size, several inputs, or a `to`
            that is no map.
        ValueError: if `outputs` has another shape than the map.
    """
    followed = follow(model)
    target = _target(followed, to)
    sizes = known_sizes(target.name, target.output_shape)
    weights = np.ones(sizes) if outputs is None else np.asarray(outputs, np.float64)
    if weights.shape != sizes:
        raise ValueError(
            f"`outputs` must have the shape of the map of '{target.name}', {sizes}. "
            f"Received: outputs.shape={weights.shape}"
        )
    image = _image(followed)
    pending = {target.outputs[0]: weights}
    for step in reversed(followed.steps):
        gradient = pending.pop(step.outputs[0], None)
        if step is image:
            return (
                np.zeros(known_sizes(step.name, step.output_shape))
                if gradient is None
                else gradient
            )
        if gradient is not None:
            _back(step, gradient, followed, pending)
    raise AssertionError("an input comes before all other steps")


def asymmetry(counts: np.ndarray, axis: int = 0) -> float:
    """Return sum|g - reverse g| / (2 sum g) on an axis: 0 for a symmetric map.

    Args:
        counts: of `paths`.
        axis: along which it is turned round.
    """
    return float(np.abs(counts - np.flip(counts, axis)).sum() / (2 * counts.sum()))


def _target(followed: Followed, to: str | None) -> Step:
    maps = [step for step in followed.steps if followed.fields[step.outputs[0]]]
    if not maps:
        raise TraceError("The model has no map: its inputs are no images and no sequences.")
    if to is None:
        return maps[-1]
    for step in maps:
        if step.name == to:
            return step
    raise TraceError(f"No layer called '{to}' has a map. Those that have: {[s.name for s in maps]}")


def _image(followed: Followed) -> Step:
    images = [
        step
        for step in followed.steps
        if kind_of(step.layer) == "input" and followed.fields[step.outputs[0]]
    ]
    if len(images) != 1:
        names = [step.name for step in images]
        raise TraceError(f"Paths are counted from one input that is a map; this model has {names}.")
    return images[0]


def _back(
    step: Step, gradient: np.ndarray, followed: Followed, pending: dict[int, np.ndarray]
) -> None:
    """Add to what is pending the paths through one step."""
    kind, maps = kind_of(step.layer), followed.maps(step)
    if kind in MOVES:
        gradient = response_of(step).backward(gradient)
    for i in maps:
        pending[i] = pending[i] + gradient if i in pending else gradient
    _keep_finite(pending)


def _keep_finite(pending: dict[int, np.ndarray]) -> None:
    most = max((float(np.abs(g).max()) for g in pending.values()), default=0.0)
    if most > LARGEST:
        down = 2.0 ** -math.frexp(most)[1]
        for i in pending:
            pending[i] = pending[i] * down
