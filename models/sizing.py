"""What depends on a whole network: the sizes that it takes, and what it gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from .geometry.findings.meeting import inputs_that_meet
from .layers.engine.extend import CollapseError
from .padding.checks import SizeError
from .registry import Gives, ModelError

MOST_TRIED = 64  # pixels more or less than a size that a padding refuses

Shape = tuple[int | None, ...]


def smallest_size(make: Callable[[int], object], largest: int) -> int | None:
    """Return the smallest size for which `make` raises no CollapseError, or None.

    Doubles, then bisects: a network that survives a size survives every larger one. A size that its
    padding refuses counts as survived there; the answer is the next that it takes. The states of
    Python's and NumPy's random generators are put back afterwards.

    Args:
        make: builds the network for a size.
        largest: where to stop.
    """
    with random_state_kept():
        works = 1
        while not _survives(make, works):
            if works >= largest:
                return None
            works = min(2 * works, largest)
        fails = works // 2
        while works - fails > 1:
            middle = (works + fails) // 2
            if _survives(make, middle):
                works = middle
            else:
                fails = middle
        return next((size for size in range(works, largest + 1) if _works(make, size)), None)


def neighbouring_sizes(
    make: Callable[[int], object], size: int, most: int
) -> tuple[int | None, int | None]:
    """Return the next smaller and the next larger size for which a network can be made.

    Args:
        make: builds the network for a size, or raises CollapseError or SizeError.
        size: for which it cannot be made.
        most: how far to look; None is returned for what is not found.
    """
    with random_state_kept():
        smaller = range(size - 1, max(0, size - 1 - most), -1)
        larger = range(size + 1, size + 1 + most)
        below, above = (
            next((n for n in sizes if _works(make, n)), None) for sizes in (smaller, larger)
        )
    return below, above


def other_sizes(
    make: Callable[[tuple[int | None, ...]], object],
    input_shape: tuple[int | None, ...],
    axis: int,
) -> str:
    """Say which next smaller and larger input works, found by rebuilding.

    A square image stays square; of another the axis changes that is refused.
    """
    *spatial, channels = input_shape
    square, received = len(set(spatial)) == 1, f"Received: input_shape={input_shape}"

    def shape(n: int) -> tuple[int | None, ...]:
        return tuple(n if square or i == axis else old for i, old in enumerate(spatial))

    found = neighbouring_sizes(
        lambda n: make((*shape(n), channels)), spatial[axis] or 0, MOST_TRIED
    )
    works = _works_for([None if n is None else shape(n) for n in found], square)
    return f"{works or f'No input up to {MOST_TRIED} pixels smaller or larger works.'} {received}"


def other_inputs(make: Callable[[Shape], keras.Model], input_shape: Shape) -> str:
    """Say which next smaller and larger input has maps that meet; empty where none is found."""
    with random_state_kept():
        found = inputs_that_meet(make, input_shape)
    sides = {len(set(shape[:-1])) for shape in found if shape}
    square = len(input_shape) > 2 and sides == {1}
    works = _works_for([shape and shape[:-1] for shape in found], square)
    return f"{works} Received: input_shape={input_shape}" if works else ""


def _works_for(near: Sequence[Shape | None], square: bool) -> str:
    """One sentence of the next smaller and the next larger sizes, each of them there or not."""
    works = {
        f"next {side}": "x".join(map(str, sizes))
        for side, sizes in zip(("smaller", "larger"), near, strict=True)
        if sizes
    }
    if not works:
        return ""
    (side, first), *more = works.items()
    said = f"The {side} {'square ' * square}input that works is {first}"
    return f"{said}{''.join(f', the {side} {size}' for side, size in more)}."


def _survives(make: Callable[[int], object], size: int) -> bool:
    try:
        make(size)
    except CollapseError:
        return False
    except SizeError:
        pass
    return True


def _works(make: Callable[[int], object], size: int) -> bool:
    try:
        make(size)
    except (CollapseError, SizeError):
        return False
    return True


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Initialisers draw their seeds from Python's generator: put it back."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def check_outputs(outputs: Any, gives: Gives, num_classes: int, file: str) -> None:
    """Raise ModelError unless a network gives what its file says.

    Args:
        outputs: their shape; a list or a dict of several.
        gives: logits, or an image.
        num_classes: of the logits, or channels of the image.
        file: of the architecture, which the message names.
    """
    several, image = isinstance(outputs, (list, dict)), gives == "image"
    given = "several outputs" if several else outputs[-1]
    if image and (several or len(outputs) != 4 or given != num_classes):
        raise ModelError(
            f"{file}: GIVES = 'image' says that the model gives (batch, height, width, "
            f"{num_classes}), num_classes channels, and it gives "
            f"{given if several else outputs}: its last convolution is "
            "nn.Conv2D(num_classes, 1, dtype='float32', name='output')"
        )
    if several or given != num_classes:
        raise ModelError(
            f"{file}: the model gives {given}{' logits' * isinstance(given, int)}, and the "
            f"data has {num_classes} classes: its last layer is "
            "keras.layers.Dense(num_classes, dtype='float32', name='logits')"
        )
    if not image and len(outputs) == 4:
        raise ModelError(
            f"{file}: the model gives a map, {outputs}: set GIVES = 'image' below KIND if it "
            "is one, else end with a global pool and logits"
        )


def scored(model: keras.Model, scored_steps: int | None) -> keras.Model:
    """Leave a model's outputs for the steps that the data labels.

    The last output is that of the last step: what `valid` takes from a sequence is missing at its
    start.

    Args:
        model: from (batch, steps, channels) to logits (batch, num_classes), or one output a step,
            (batch, steps or fewer, num_classes).
        scored_steps: how many steps at the end have a label; None where a whole example has one.

    Returns:
        The model itself for None, else one to logits (batch, scored_steps, num_classes).

    Raises:
        ValueError: if the model tells no class a step where the data has one, or the other way
            round, or fewer steps than are scored.
    """
    outputs = model.output_shape[1:-1]
    if scored_steps is None:
        if outputs:
            raise ValueError(
                f"{model.name} tells a class at every step (head='steps'), and the data has one "
                "class an example: head='average' or head='last'."
            )
        return model
    if not outputs:
        raise ValueError(
            f"{model.name} tells one class an example, and the data has one for each of the last "
            f"{scored_steps} steps of a sequence: name='causal_conv1d', head='steps'."
        )
    (steps,), taken = outputs, model.input_shape[1]
    if None in (steps, taken) or not scored_steps <= steps <= taken:
        raise ValueError(
            f"{model.name} tells a class at {steps} of {taken} steps under this padding, and the "
            f"last {scored_steps} are scored: a smaller receptive field leaves more (fewer "
            "`levels`, a smaller `kernel_size`)."
        )
    crop = keras.layers.Cropping1D((steps - scored_steps, 0), dtype="float32", name="scored")
    return keras.Model(model.input, crop(model.output), name=model.name)
