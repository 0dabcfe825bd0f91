"""What can be said of a network before it is trained.

`models.geometry.trace(model)` is the table of its layers, `models.geometry.usage` what its layers
read, `models.geometry.paths` what reaches its output, `models.geometry.lint` what is worth a look.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # The arithmetic needs no framework: Keras is imported with the first trace.
    if name == "trace":
        from models.geometry.tracing import trace

        return trace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
