"""What is worth a look in a network before it is trained: each finding with what to do.

`lint(model)` asks every rule of `models.geometry.rules` about every axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import keras

from models.geometry.sizes import Line, line
from models.geometry.tracing import Field, Followed, Row, follow, trace
from models.geometry.usage import Usage, usage

AXES = {1: ("time",), 2: ("height", "width")}


@dataclass(frozen=True)
class Finding:
    """One thing that is worth a look.

    Attributes:
        code: the rule's name.
        layer: where it happens first.
        message: what is so, with the numbers, in plain words.
        remedy: what to do about it.
        severity: "warning" where the border is treated unevenly or content is lost, "note" where
            it may well be meant.
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
        row, i = self.last, self.number
        return Field(row.receptive_field[i], row.effective_stride[i], row.effective_padding[i])

    @property
    def causal(self) -> bool:
        """Whether some window was asked to look back only."""
        return any(slide.causal for slide in self.line.slides)

    @property
    def period(self) -> int:
        """After how many pixels of input the strides meet the same remainders."""
        return max(
            row.effective_stride[self.number] for row in self.rows.values() if row.output_size
        )


def lint(model: keras.Model) -> list[Finding]:
    """Return what is worth a look in a network, the warnings first.

    Args:
        model: functional or built sequential. Of an axis whose size is unknown nothing is said.

    Raises:
        TraceError: as `models.geometry.trace`.
    """
    from models.geometry.rules import RULES

    axes = _axes(model)
    found: list[Finding] = []
    for rule in RULES:
        findings = [rule(axis) for axis in axes]
        found += _once(findings, [axis.number for axis in axes], len(axes))
    return sorted(found, key=lambda finding: finding.severity == "note")


def _axes(model: keras.Model) -> list[Axis]:
    followed = follow(model)
    rows = {row.name: row for row in trace(model)}
    used = {one.name: one for one in usage(model)}
    sizes = next((row.output_size for row in rows.values() if row.output_size), ())
    axes = []
    for number, size in enumerate(sizes):
        if size is not None and (found := line(followed, number, size)):
            axes.append(Axis(number, size, found, rows, used, followed))
    return axes


def _once(findings: Sequence[Finding | None], numbers: Sequence[int], axes: int) -> list[Finding]:
    """What is so on all axes alike is said once; else the axis is named."""
    if all(finding == findings[0] for finding in findings):
        return [finding for finding in findings[:1] if finding]
    return [
        replace(finding, message=f"{AXES[axes][number]}: {finding.message}")
        for finding, number in zip(findings, numbers, strict=True)
        if finding
    ]
