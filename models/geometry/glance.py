"""A look at a network that never fails: what is known of its geometry, and what is not."""

from __future__ import annotations

from typing import Any, NamedTuple

from .findings.finding import Finding
from .findings.lint import lint
from .tracing.graph import TraceError
from .tracing.rows import Row
from .tracing.trace import trace


class Look(NamedTuple):
    """What is known of a network before it is trained.

    Attributes:
        rows: its trace; empty where it cannot be followed.
        findings: what is worth a look, also what could not be followed.
        not_followed: a line for each part that could not be followed.
    """

    rows: list[Row]
    findings: list[Finding]
    not_followed: list[str]


def glance(model: Any) -> Look:
    """Trace and lint a Keras model; a part that cannot be followed is reported, no more."""
    rows: list[Row] = []
    findings: list[Finding] = []
    try:
        rows = trace(model)
        findings = lint(model)
    except Exception as error:  # a diagnostic has no right to stop a training
        known = isinstance(error, TraceError)
        line = " ".join(f"{'' if known else f'{type(error).__name__}: '}{error}".split())
        what = "its findings" if rows else "the network's geometry"
        findings = [
            Finding(
                code="not_followed",
                layer="",
                message=f"{what[0].upper()}{what[1:]} could not be determined: {line}",
                remedy="Sizes, fields and findings are missing; the training is not affected.",
                severity="note",
                layers=(),
            )
        ]
    return Look(rows, findings, [f.message for f in findings if f.code == "not_followed"])
