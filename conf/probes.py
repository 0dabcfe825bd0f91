"""Which probes there are, what each one measures, and how `probes=…` is read."""

from __future__ import annotations

from typing import Any

from conf.reader import ConfigError, unknown

NAMES = {
    "position": "accuracy by margin and by position, by shifting the picture",
    "shift": "shift consistency: how often two shifts of a picture are told the same",
    "foveation": "how much each input pixel can reach the output",
    "readout": "where a feature lies, read from frozen features (PosENet)",
    "border": "mean activation by distance to the border, layer by layer",
    "swap": "accuracy of the trained weights under every other padding",
    "leak": "for sequences: whether outputs change when later inputs do",
    "saliency": "what moves the output, at the border, for a few examples",
}


def chosen(value: Any) -> tuple[str, ...]:
    """The probes that `probes=…` names, in the order of `NAMES`, none twice.

    Args:
        value: None for none, "all", a name or a list of names.

    Raises:
        ConfigError: for anything else.
    """
    if value is None:
        return ()
    if value == "all":
        return tuple(NAMES)
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise ConfigError(
            f"probes takes all, a name or a list of names of {', '.join(NAMES)}; got {value!r}"
        )
    for name in given:
        if name not in NAMES:
            raise unknown("probe", name, (*NAMES, "all"))
    return tuple(name for name in NAMES if name in given)
