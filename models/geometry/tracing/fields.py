"""How the pixels of a map lie over the network's input, on one axis. No framework.

A window that slides, and one whose outputs are spread apart (a transposed convolution), read runs
of a map's pixels; what comes back up reads them by turns: after nearest upsampling by 2 two
neighbours read the same pixel, the next two the next one. So a map has a period: `Field.period`
outputs advance by `Field.advance` input pixels, and the outputs of one period, its phases, each
have a run of input pixels of their own. Without upsampling the period is 1, and the recurrences of
`models.geometry.arithmetic` hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .. import arithmetic

Run = tuple[int, int]
Rational = int | Fraction
REMEMBERED = 4096  # results of the operations


@dataclass(frozen=True)
class Field:
    """How the pixels of a map lie over the input, on one axis, far from any border.

    Attributes:
        runs: the first and the last input pixel that each of the first `period` outputs sees; None
            for one that sees none, as between the taps of a short kernel that is spread far.
        advance: input pixels from one period to the next.
        known: whether the runs' places are known; only their lengths are, where a border depends
            on an unknown size.

    Example:
        >>> up = resampled(Field(), 1, 2)
        >>> up.effective_stride, up.runs, slid(up, (0, 1, 2), 1, 1).runs
        (Fraction(1, 2), ((0, 0), (0, 0)), ((-1, 0), (0, 1)))
    """

    runs: tuple[Run | None, ...] = ((0, 0),)
    advance: int = 1
    known: bool = True

    @property
    def period(self) -> int:
        """After how many outputs the pattern repeats."""
        return len(self.runs)

    @property
    def effective_stride(self) -> Rational:
        """Input pixels between neighbouring outputs, the mean over a period."""
        return whole(Fraction(self.advance, self.period))

    @property
    def receptive_field(self) -> int:
        """The most input pixels that one output sees, its ends and all between them."""
        return max((last - first + 1 for first, last in filter(None, self.runs)), default=0)

    @property
    def effective_padding(self) -> Rational | None:
        """Input pixels by which the first field hangs over the start: (field - 1) / 2 - middle."""
        middle = self.middle
        if middle is None:
            return None
        return whole(Fraction(self.receptive_field - 1, 2) - middle)

    @property
    def middle(self) -> Fraction | None:
        """The centre of the first output's field in input pixels, the mean over a period.

        Output y has its own y jumps further on. None where a border depends on an unknown size.
        """
        return self._mean(lambda run: Fraction(sum(run), 2))

    @property
    def newest(self) -> Fraction | None:
        """The last input pixel that the first output sees; a mean, and None, as `middle` is."""
        return self._mean(lambda run: Fraction(run[1]))

    @property
    def centre(self) -> float | None:
        """`middle` as a float."""
        return None if self.middle is None else float(self.middle)

    def run(self, output: int) -> Run | None:
        """Return the first and the last input pixel that an output sees, None if it sees none."""
        periods, phase = divmod(output, self.period)
        return _moved(self.runs[phase], periods * self.advance)

    def _mean(self, place: Callable[[Run], Fraction]) -> Fraction | None:
        if not self.known or not any(self.runs):
            return None
        jump = Fraction(self.advance, self.period)
        places = [place(run) - jump * i for i, run in enumerate(self.runs) if run]
        return sum(places, Fraction()) / len(places)


Fields = tuple[Field, ...]


def whole(value: Fraction) -> Rational:
    """Return an int for a fraction that is one."""
    return value.numerator if value.denominator == 1 else value


@lru_cache(REMEMBERED)
def slid(field: Field, taps: tuple[int, ...], stride: int, before: int | None) -> Field:
    """Return the field behind a window: output i reads the map at i * stride - before + each tap.

    Args:
        taps: of the window, in order, from 0 on.
        before: pixels of padding; less than none where pixels are cropped, None if unknown.
    """
    if field.period == 1 and field.runs[0]:
        first, last = field.runs[0]
        padding = arithmetic.effective_padding(-first, field.advance, before or 0)
        wider = arithmetic.receptive_field(last - first + 1, field.advance, taps[-1] + 1, 1)
        run = (arithmetic.first_pixel(padding), arithmetic.last_pixel(padding, wider))
        jump = arithmetic.effective_stride(field.advance, stride)
        return Field((run,), jump, field.known and before is not None)
    shared = math.gcd(field.period, stride)
    return _field(
        (
            _hull(field.run(i * stride - (before or 0) + tap) for tap in taps)
            for i in range(field.period // shared)
        ),
        field.advance * (stride // shared),
        field.known and before is not None,
    )


@lru_cache(REMEMBERED)
def spread(field: Field, taps: tuple[int, ...], stride: int, before: int | None) -> Field:
    """Return the field behind a transposed convolution.

    Pixel x of the map is written to outputs x * stride - before + each tap, so that output y reads
    those x where a tap is left over. Dumoulin & Visin (arXiv:1603.07285), section 4.

    Args:
        taps: of the kernel, in order, from 0 on.
        before: outputs that are cut off at the start; None if unknown.
    """
    return _field(
        (
            _hull(
                field.run((y + (before or 0) - tap) // stride)
                for tap in taps
                if (y + (before or 0) - tap) % stride == 0
            )
            for y in range(field.period * stride)
        ),
        field.advance,
        field.known and before is not None,
    )


@lru_cache(REMEMBERED)
def resampled(field: Field, old: int, new: int, *, bilinear: bool = False) -> Field:
    """Return the field of a map that is resized from `old` to `new` pixels on the axis.

    Output y lies over the map at (y + 1/2) old / new - 1/2, its pixels' centres half a pixel from
    their edges. It reads the pixel whose square it lies in, or with `bilinear` the two around it.
    """
    shared = math.gcd(old, new)
    old, new = old // shared, new // shared

    def read(y: int) -> Iterable[int]:
        if not bilinear:
            return ((2 * y + 1) * old // (2 * new),)
        twice = (2 * y + 1) * old - new
        return twice // (2 * new), -(-twice // (2 * new))

    outputs = math.lcm(field.period, old) // old * new
    return _field(
        (_hull(map(field.run, read(y))) for y in range(outputs)),
        field.advance * (outputs // new * old // field.period),
        field.known,
    )


def merged(fields: Sequence[Field]) -> Field | None:
    """Return the hull of branches that meet: what any of them sees; None if their jumps differ."""
    if len({field.effective_stride for field in fields}) > 1:
        return None
    period = math.lcm(*(field.period for field in fields))
    advance = fields[0].advance * (period // fields[0].period)
    if not all(field.known for field in fields):
        longest = max(field.receptive_field for field in fields)
        return _field([(0, longest - 1)] * period, advance, False)
    runs = [_hull(field.run(i) for field in fields) for i in range(period)]
    return _field(runs, advance, True)


def _field(runs: Iterable[Run | None], advance: int, known: bool) -> Field:
    """Return a Field of the shortest period that the runs have."""
    runs = tuple(runs)
    shared = math.gcd(len(runs), advance)
    for parts in (n for n in range(shared, 0, -1) if shared % n == 0):
        period, step = len(runs) // parts, advance // parts
        found = Field(runs[:period], step, known)
        if all(found.run(i) == run for i, run in enumerate(runs)):
            return found
    raise AssertionError("a pattern repeats itself after its whole length")


def _hull(runs: Iterable[Run | None]) -> Run | None:
    seen = [run for run in runs if run]
    if not seen:
        return None
    return min(first for first, _ in seen), max(last for _, last in seen)


def _moved(run: Run | None, by: int) -> Run | None:
    return run and (run[0] + by, run[1] + by)
