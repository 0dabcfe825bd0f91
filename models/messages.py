"""What a message says of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, allowed: Iterable[str]) -> str:
    """Return "did you mean same or valid?", at most three close names, or "" without any.

    Example: `did_you_mean("sme", ["same", "valid"])` is "did you mean same?".
    """
    found = difflib.get_close_matches(str(name), sorted(allowed), n=3)
    return f"did you mean {' or '.join(found)}?" if found else ""


def unknown(what: str, name: object, allowed: Iterable[str]) -> str:
    """Return the line for a name that does not exist: what is close, and what is allowed."""
    names = list(allowed)
    hint = did_you_mean(name, names)
    return f"unknown {what} '{name}': {hint}{' ' * bool(hint)}allowed: {', '.join(names)}"
