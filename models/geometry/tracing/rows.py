"""What a trace consists of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from .. import arithmetic
from .fields import Fields, Rational


@dataclass(frozen=True)
class Row:
    """One layer of a trace. Tuples have one entry per spatial axis, none after the last map.

    `macs` are multiply-accumulates for one example, biases not counted; None where a size is
    unknown. `pad` is in pixels of the layer's own input, (before, after); None if unknown; of a
    transposed convolution it is what is cut off its output, as that of the convolution that it
    transposes. `effective_stride` and `effective_padding` are fractions where a map has come back
    up between two pixels of the input.
    `parameters` counts a layer that is called again once. `inputs` names the rows it reads;
    `whole` says for each axis whether the layer, a normalisation over space, reads all of its map
    for each output; `gated` that a global pool of a map joins in here. From there on outputs
    depend on the whole image beyond the field, which is that of the path that keeps its place.
    """

    name: str
    type: str
    output_size: tuple[int | None, ...]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    pad: tuple[tuple[int, int] | None, ...]
    receptive_field: tuple[int, ...]
    effective_stride: tuple[Rational, ...]
    effective_padding: tuple[Rational | None, ...]
    parameters: int
    macs: int | None
    inputs: tuple[str, ...] = ()
    whole: tuple[bool, ...] = ()
    gated: bool = False
    fields: Fields = ()

    @property
    def centre(self) -> tuple[float | None, ...]:
        """The centre of the first output's field in input pixels, None where it is unknown.

        Where fields take turns it is the mean of their centres, each less its outputs' jumps.
        """
        places = zip(self.effective_padding, self.receptive_field, strict=True)
        return tuple(None if p is None else float(arithmetic.centre(p, r)) for p, r in places)

    def to_dict(self) -> dict[str, Any]:
        """Return the table's columns by name, fractions as floats: all but `gated`, `fields`."""
        names = [field.name for field in fields(self) if field.name not in ("gated", "fields")]
        return {name: _plain(getattr(self, name)) for name in names}


def main_path(rows: Sequence[Row]) -> list[Row]:
    """Return the maps that every path from the input to the output goes through.

    A layer within one of several branches is none of them. Of rows that do not say what they read
    all are taken.
    """
    place = {row.name: i for i, row in enumerate(rows)}
    last_read = [0] * len(rows)
    for i, row in enumerate(rows):
        for name in row.inputs:
            last_read[place[name]] = i
    furthest = [0, *itertools.accumulate(last_read, max)]
    return [row for i, row in enumerate(rows) if row.output_size and furthest[i] <= i]


@dataclass(frozen=True)
class Meeting:
    """A merge of branches that are maps.

    Attributes:
        name: of the merge.
        branches: the names of the rows it reads.
        fields: of each branch, one per axis.
    """

    name: str
    branches: tuple[str, ...]
    fields: tuple[Fields, ...]

    @property
    def offsets(self) -> tuple[tuple[float, ...] | None, ...]:
        """For each axis how far each branch's centre lies behind the first one's, in input pixels.

        None where a centre is unknown.
        """
        axes = []
        for axis in zip(*self.fields, strict=True):
            centres = [field.centre for field in axis]
            known = [c for c in centres if c is not None]
            axes.append(tuple(c - known[0] for c in known) if len(known) == len(axis) else None)
        return tuple(axes)

    @property
    def aligned(self) -> bool:
        """Whether no known centre lies off the others."""
        return not any(any(offsets) for offsets in self.offsets if offsets)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return float(value) if isinstance(value, Fraction) else value
