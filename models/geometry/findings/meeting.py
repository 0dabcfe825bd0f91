"""For which sizes of the input the maps of a network meet, and what makes them meet at another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import keras

from .. import arithmetic
from ..tracing.graph import Step
from ..tracing.kinds import kind_of
from ..tracing.line import Line, line, walk
from ..tracing.trace import Followed, follow
from ..tracing.windows import least_extra
from .sizes import LARGEST, nearest, smallest

OF_A_FIXED_SIZE = (keras.layers.CenterCrop, keras.layers.Resizing)
NAMED = 6  # runs of remainders in a message
# Networks that meet at some sizes mostly do at multiples of it, or one pixel above.
SAMPLE = 64

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Sizes:
    """Input sizes on one axis: from `least` on those that leave a remainder by the period.

    Attributes:
        period: in pixels; the shortest one.
        remainders: which sizes they are, modulo the period; () if there are none.
        least: the smallest size at which no map shrinks to nothing.

    Example:
        >>> str(Sizes(16, (0,), 16)), str(Sizes(16, (1,), 17)), str(Sizes(4, (0, 1), 4))
        ('multiples of 16', '16·a + 1', 'sizes whose remainder by 4 is 0 or 1')
    """

    period: int
    remainders: tuple[int, ...]
    least: int

    @property
    def all(self) -> bool:
        """Whether every size is one of them."""
        return len(self.remainders) == self.period

    def __contains__(self, size: int) -> bool:
        return size >= self.least and size % self.period in self.remainders

    def __str__(self) -> str:
        if self.remainders == (0,):
            return f"multiples of {self.period}"
        if len(self.remainders) == 1:
            return f"{self.period}·a + {self.remainders[0]}"
        return f"sizes whose remainder by {self.period} is {_either(_runs(self.remainders))}"


def _runs(numbers: Sequence[int]) -> list[str]:
    """Numbers in order, three and more neighbours as one run: 0, 25 to 31."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return [
        said
        for run in runs
        for said in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))
    ]


def _either(named: list[str]) -> str:
    if len(named) > NAMED:
        return f"{', '.join(named[:NAMED])} or one of {len(named) - NAMED} more"
    *first, last = named
    return f"{', '.join(first)} or {last}" if first else last


def meeting_sizes(model: keras.Model, axis: int = 0) -> Sizes | None:
    """Return the input sizes for which all maps that meet in a network are of one size.

    Args:
        model: functional or built sequential; its own sizes do not matter.
        axis: which of its spatial axes.

    Returns:
        None where sizes have no period that arithmetic finds, as behind a crop to a fixed size.

    Raises:
        TraceError: as `padzoo.trace`.

    Example:
        >>> x = inputs = keras.Input((None, None, 3))
        >>> y = keras.layers.UpSampling2D(2)(keras.layers.MaxPooling2D(2)(x))
        >>> meeting_sizes(keras.Model(inputs, keras.layers.Concatenate()([x, y])))
        Sizes(period=2, remainders=(0,), least=2)
    """
    return sizes_that_meet(follow(model), axis)


def nearest_sizes(model: keras.Model, axis: int, size: int) -> tuple[int | None, int | None]:
    """Return the nearest input sizes below and above `size` for which all maps meet.

    None where there is none, or none that arithmetic finds; raises as `meeting_sizes`.
    """
    return nearest_that_meet(follow(model), axis, size)


def nearest_that_meet(followed: Followed, axis: int, size: int) -> tuple[int | None, int | None]:
    """Return `nearest_sizes` of a followed network."""
    if not _has_one_image(followed):
        return None, None
    return nearest(followed, axis, size, lambda _: True, min(LARGEST, period_of(followed, axis)))


def sizes_that_meet(followed: Followed, axis: int) -> Sizes | None:
    """Return `meeting_sizes` of a followed network."""
    period = period_of(followed, axis)
    if not any(kind_of(step.layer) == "merge" for step in followed.steps):
        period = 1
    least = smallest(followed, axis, 0, lambda _: True, meet=False)
    if least is None or period > LARGEST or not _has_one_image(followed):
        return None
    meets = [line(followed, axis, least + n) is not None for n in range(period)]
    fixed = any(isinstance(step.layer, OF_A_FIXED_SIZE) for step in followed.steps)
    later = (line(followed, axis, least + period + n) is not None for n in range(period))
    if fixed and meets != list(later):
        return None
    shortest = next(n for n in range(1, period + 1) if _repeats(meets, n))
    found = sorted((least + n) % shortest for n in range(shortest) if meets[n])
    return Sizes(shortest, tuple(found), least)


def period_of(followed: Followed, axis: int) -> int:
    """Return after how many pixels of input all floors and remainders repeat themselves."""
    maps = (fields for fields in followed.fields.values() if fields)
    return math.lcm(*(fields[axis].advance for fields in maps))


def _has_one_image(followed: Followed) -> bool:
    """Whether one size is that of all inputs that are maps."""
    return sum(kind_of(s.layer) == "input" and bool(s.output_shape[2:]) for s in followed.steps) < 2


def _repeats(meets: list[bool], period: int) -> bool:
    return len(meets) % period == 0 and meets == meets[:period] * (len(meets) // period)


def inputs_that_meet(
    make: Callable[[Shape], keras.Model], input_shape: Shape
) -> tuple[Shape | None, Shape | None]:
    """Return the next smaller and the next larger input for which all maps that meet are of a size.

    The arithmetic of one network that is built, for an unknown size or some larger ones, is
    followed at the other sizes, and what it finds is built. An axis that meets keeps its size.

    Args:
        make: builds the network for an input shape; raises ValueError where maps do not meet.
        input_shape: (*spatial, channels), for which it does.
    """
    *sizes, channels = input_shape
    model = _first_built(make, input_shape)
    if model is None:
        return None, None
    followed, near = follow(model), []
    for axis, size in enumerate(sizes):
        known = size or 1
        fits = line(followed, axis, known) is not None
        near.append((size, size) if fits else nearest_that_meet(followed, axis, known))
    below, above = (_built_or_none(make, (*axes, channels)) for axes in zip(*near, strict=True))
    return below, above


def _first_built(make: Callable[[Shape], keras.Model], input_shape: Shape) -> keras.Model | None:
    *sizes, channels = input_shape
    larger = [SAMPLE * -(-(n or 1) // SAMPLE) for n in sizes]
    for tried in ([None] * len(sizes), larger, [n + 1 for n in larger]):
        try:
            return make((*tried, channels))
        except ValueError:
            continue
    return None


def _built_or_none(make: Callable[[Shape], keras.Model], shape: Shape) -> Shape | None:
    if None in shape:
        return None
    try:
        make(shape)
    except ValueError:
        return None
    return shape


@dataclass(frozen=True)
class Mending:
    """What makes all maps of an axis meet at one input size.

    Attributes:
        extra: the `output_padding` of transposed convolutions, by name; empty if none does.
        crops: what to cut, (before, after), from the branches of the first merge that is not met,
            by name.
    """

    extra: dict[str, int]
    crops: dict[str, tuple[int, int]]


def mending(followed: Followed, axis: int, found: Line) -> Mending:
    """Return what makes the maps meet that do not in `found`, an axis at `found.size` pixels."""
    name, sizes = next(iter(found.unmet.items()))
    step = next(step for step in followed.steps if step.name == name)
    branches = [followed.writers[i].name for i in followed.maps(step)]
    fields = found.fields[name]
    places = [field.middle or Fraction() for field in fields]
    offsets = [(max(places) - place) / fields[0].effective_stride for place in places]
    crops = arithmetic.crops(sizes, offsets)
    return Mending(
        _extra(followed, axis, found),
        {branch: crop for branch, crop in zip(branches, crops, strict=True) if any(crop)},
    )


def _extra(followed: Followed, axis: int, found: Line) -> dict[str, int]:
    """The output paddings with which all meet, merge by merge; none where some do not."""
    extra: dict[str, int] = {}
    for step in followed.steps:
        there = walk(followed, axis, found.size, extra=extra)
        if there and step.name in there.unmet:
            better = _one_more(followed, axis, found.size, step, extra)
            if better is None:
                return {}
            extra = better
    there = walk(followed, axis, found.size, extra=extra)
    return extra if there and not there.unmet else {}


def _one_more(
    followed: Followed, axis: int, size: int, merge: Step, extra: dict[str, int]
) -> dict[str, int] | None:
    """The paddings so far and one that makes a merge meet: of a transposed layer before it."""
    for up in _before(followed, merge):
        for more in range(least_extra(up.layer, axis), up.layer.strides[axis]):
            tried = {**extra, up.name: more}
            there = walk(followed, axis, size, extra=tried)
            if there and merge.name not in there.unmet:
                return tried
    return None


def _before(followed: Followed, merge: Step) -> list[Step]:
    """The transposed convolutions before a merge, back to where something else merged."""
    found: list[Step] = []
    pending = list(followed.maps(merge))
    while pending:
        step = followed.writers[pending.pop(0)]
        if kind_of(step.layer) == "spread":
            found.append(step)
        elif kind_of(step.layer) != "merge":
            pending += followed.maps(step)
    return found
