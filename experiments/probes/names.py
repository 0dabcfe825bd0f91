"""Which probes there are, and what each one measures. No framework is imported here."""

from __future__ import annotations

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
