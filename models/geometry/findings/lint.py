"""What is worth a look in a network before it is trained: each finding with what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import keras

from ..reach.usage import usage
from ..tracing.trace import Followed, follow, trace
from . import rules_of_kernels as kernels
from . import rules_of_size as size
from . import rules_of_stride as stride
from .finding import Axis, Finding
from .sizes import line

__all__ = ["RULES", "RULES_OF_LAYERS", "Finding", "lint"]

AXES = {1: ("time",), 2: ("height", "width")}
# A rule is called by the code of its finding.
RULES: tuple[Callable[[Axis], Finding | None], ...] = (
    stride.misaligned_merge,
    stride.one_sided_padding,
    stride.unread_padding,
    stride.unread_input,
    stride.even_kernel_drift,
    size.repeated_border,
    size.looks_ahead,
    size.small_receptive_field,
    size.large_receptive_field,
    size.short_memory,
    size.whole_map,
    size.one_pixel_map,
    size.map_smaller_than_window,
)
# Rules about layers, which no size changes.
RULES_OF_LAYERS: tuple[Callable[[Followed], Finding | None], ...] = (kernels.wrong_kernel_gradient,)


def lint(model: keras.Model) -> list[Finding]:
    """Return what is worth a look in a network, the warnings first.

    Args:
        model: functional or built sequential. An axis of unknown size is checked for what holds
            at any size.

    Raises:
        TraceError: as `padzoo.trace`.

    Example:
        >>> inputs = keras.Input((32, 32, 3))
        >>> model = keras.Model(inputs, keras.layers.Conv2D(8, 3, 2, padding="same")(inputs))
        >>> padzoo.lint(model)[0].code
        'one_sided_padding'
    """
    axes = _axes(model)
    found: list[Finding] = []
    for rule in RULES:
        findings = [rule(axis) for axis in axes]
        found += _once(findings, [axis.number for axis in axes], len(axes))
    followed = follow(model)
    found += [finding for rule in RULES_OF_LAYERS if (finding := rule(followed))]
    return sorted(found, key=lambda finding: finding.severity == "note")


def _axes(model: keras.Model) -> list[Axis]:
    followed = follow(model)
    rows = {row.name: row for row in trace(model)}
    used = {one.name: one for one in usage(model)}
    sizes = next((row.output_size for row in rows.values() if row.output_size), ())
    axes = []
    for number, pixels in enumerate(sizes):
        if pixels is not None and (found := line(followed, number, pixels)):
            axes.append(Axis(number, pixels, found, rows, used, followed))
    return axes


def _once(findings: Sequence[Finding | None], numbers: Sequence[int], axes: int) -> list[Finding]:
    """Report a finding once if it holds on all axes alike; otherwise name the axis."""
    if all(finding == findings[0] for finding in findings):
        return [finding for finding in findings[:1] if finding]
    return [
        replace(finding, message=f"{AXES[axes][number]}: {finding.message}")
        for finding, number in zip(findings, numbers, strict=True)
        if finding
    ]
