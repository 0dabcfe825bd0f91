"""What can be said of a network before it is trained.

`tracing.trace` is the table of its layers, `reach.usage` what its layers read, `reach.paths` what
reaches its output, `findings.lint` what is worth a look, `explaining` the arithmetic by hand.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # The arithmetic needs no framework: Keras is imported with the first trace.
    if name == "trace":
        from .tracing.trace import trace

        return trace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
