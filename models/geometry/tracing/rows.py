"""What a trace consists of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .. import arithmetic


@dataclass(frozen=True)
class Field:
    """How the pixels of a map lie over the input, on one axis.

    Args:
        receptive_field: input pixels one output sees.
        effective_stride: input pixels between neighbouring outputs.
        effective_padding: input pixels by which the first field hangs over the start; None
            where it depends on an unknown size.
    """

    receptive_field: int = 1
    effective_stride: int = 1
    effective_padding: int | None = 0

    @property
    def centre(self) -> float | None:
        """The centre of the first output's field, in input pixels."""
        if self.effective_padding is None:
            return None
        return arithmetic.centre(self.effective_padding, self.receptive_field)


Fields = tuple[Field, ...]


@dataclass(frozen=True)
class Row:
    """One layer of a trace. Tuples have one entry per spatial axis, none after the last map.

    `macs` are multiply-accumulates for one example, biases not counted; None where a size is
    unknown. `pad` is in pixels of the layer's own input, (before, after); None if unknown.
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
    effective_stride: tuple[int, ...]
    effective_padding: tuple[int | None, ...]
    parameters: int
    macs: int | None
    inputs: tuple[str, ...] = ()
    whole: tuple[bool, ...] = ()
    gated: bool = False

    @property
    def centre(self) -> tuple[float | None, ...]:
        """The centre of the first output's field in input pixels, None where it is unknown."""
        places = zip(
            self.receptive_field, self.effective_stride, self.effective_padding, strict=True
        )
        return tuple(Field(*place).centre for place in places)

    def to_dict(self) -> dict[str, Any]:
        """Return the table's columns by name: all but `gated`."""
        columns = asdict(self)
        del columns["gated"]
        return columns


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
