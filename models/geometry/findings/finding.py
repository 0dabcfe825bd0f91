"""What a finding of the lint is, and what its rules know of a network."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..reach.usage import Usage
from ..tracing.fields import Field
from ..tracing.line import Line
from ..tracing.rows import Row
from ..tracing.trace import Followed


@dataclass(frozen=True)
class Finding:
    """One thing that is worth a look.

    Attributes:
        code: the rule's name.
        layer: where it happens first.
        message: what was found, with the numbers, in plain words.
        remedy: what to do about it.
        severity: "warning" where the border is treated unevenly, content is lost or numbers are
            wrong, "note" where it may well be meant.
        layers: all layers it happens at.
    """

    code: str
    layer: str
    message: str
    remedy: str
    severity: Literal["warning", "note"]
    layers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Axis:
    """What the rules know of one axis of a network.

    Attributes:
        number: of the axis.
        size: pixels of the network's input.
        line: its windows and merges at that size.
        rows, used: the trace, and what its layers read.
        followed: the walked graph, to ask about other sizes.
    """

    number: int
    size: int
    line: Line
    rows: dict[str, Row]
    used: dict[str, Usage]
    followed: Followed

    @property
    def last(self) -> Row:
        """The last map's row."""
        return [row for row in self.rows.values() if row.output_size][-1]

    @property
    def field(self) -> Field:
        """The last map's field."""
        return self.last.fields[self.number]

    @property
    def whole(self) -> tuple[str, ...]:
        """The layers that read all of their map on this axis for each output."""
        rows = self.rows.values()
        return tuple(r.name for r in rows if r.output_size and r.whole[self.number])

    @property
    def causal(self) -> bool:
        """Whether some window was asked to look back only."""
        return any(slide.causal for slide in self.line.slides)

    @property
    def period(self) -> int:
        """After how many pixels of input the strides meet the same remainders."""
        return math.lcm(
            *(row.fields[self.number].advance for row in self.rows.values() if row.output_size)
        )
