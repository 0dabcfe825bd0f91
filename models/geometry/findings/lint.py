"""What is worth a look in a network before it is trained: each finding with what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import keras

from ..reach.usage import usage
from ..tracing.kinds import kind_of
from ..tracing.line import line
from ..tracing.trace import Followed, follow, trace
from . import rules_of_layers as of_layers
from . import rules_of_meeting as meeting
from . import rules_of_size as size
from . import rules_of_stride as stride
from .finding import Axis, Finding

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
# Rules about an axis whose size may be unknown, which is their last argument then.
RULES_OF_AXES: tuple[Callable[[Followed, int, int | None], Finding | None], ...] = (
    meeting.map_too_small,
    meeting.sizes_do_not_meet,
    of_layers.mixed_borders,
)
# Rules about layers, which no size changes.
RULES_OF_LAYERS: tuple[Callable[[Followed], Finding | None], ...] = (
    of_layers.wrong_kernel_gradient,
)


def lint(model: keras.Model, input_size: Sequence[int] | None = None) -> list[Finding]:
    """Return what is worth a look in a network, the warnings first.

    Args:
        model: functional or built sequential. An axis of unknown size is checked for what holds
            at any size.
        input_size: pixels of an input, one for each axis, at which the network shall exist and the
            maps that meet shall be of one size; None for the model's own, and where that is
            unknown for any.

    Raises:
        TraceError: as `padzoo.trace`.
        ValueError: if `input_size` has not one size from 1 on for each axis, or another one than an
            input of the model fixes.

    Example:
        >>> inputs = keras.Input((32, 32, 3))
        >>> model = keras.Model(inputs, keras.layers.Conv2D(8, 3, 2, padding="same")(inputs))
        >>> padzoo.lint(model)[0].code
        'one_sided_padding'
    """
    followed = follow(model)
    sizes = _input_size(followed, input_size)
    axes = _axes(model, followed)
    found: list[Finding] = []
    for rule in RULES:
        findings = [rule(axis) for axis in axes]
        found += _once(findings, [axis.number for axis in axes], len(axes))
    for rule_of_axes in RULES_OF_AXES:
        findings = [rule_of_axes(followed, i, n) for i, n in enumerate(sizes)]
        found += _once(findings, range(len(sizes)), len(sizes))
    found += [finding for rule in RULES_OF_LAYERS if (finding := rule(followed))]
    return sorted(found, key=lambda finding: finding.severity == "note")


def _input_size(followed: Followed, asked: Sequence[int] | None) -> tuple[int | None, ...]:
    inputs = [
        step.output_shape[1:-1]
        for step in followed.steps
        if kind_of(step.layer) == "input" and followed.fields[step.outputs[0]]
    ]
    own = inputs[0] if inputs else ()
    if asked is None:
        return own
    if (
        not isinstance(asked, Sequence)
        or len(asked) != len(own)
        or any(type(n) is not int or n < 1 for n in asked)
    ):
        numbers = "1 number" if len(own) == 1 else f"{len(own)} numbers"
        raise ValueError(
            f"`input_size` must be a sequence of {numbers} of pixels from 1 on, one for each axis. "
            f"Received: input_size={asked!r}"
        )
    for fixed in (sizes for sizes in inputs if len(sizes) == len(own)):
        if any(n not in (None, new) for n, new in zip(fixed, asked, strict=True)):
            raise ValueError(
                f"`input_size` must be {fixed}, which an input of the model fixes (None: any size "
                f"from 1 on). Received: input_size={tuple(asked)}"
            )
    return tuple(asked)


def _axes(model: keras.Model, followed: Followed) -> list[Axis]:
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
