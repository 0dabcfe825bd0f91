"""Leak: whether a sequence network looks ahead.

The inputs from step t on are changed; an output before t that changes has seen the future. This is
measured for several t at the last layer that still has a time axis, before a pooling layer or a
head mixes the steps. Outputs are counted from the end, as everywhere in the zoo: the last one
belongs to the last step (`models.sizing`).

Known answer: under `causal` (van den Oord et al. 2016, arXiv:1609.03499) exactly 0 on a CPU, as
under `valid` and `full`; under `same` the part of the receptive field that lies ahead.
"""

from __future__ import annotations

import zlib
from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes

from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.examples import chosen, outputs
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas

MEASURES = "for sequences: whether outputs change when later inputs do"
EXAMPLES = 64  # looking ahead is a property of the layers and shows on any example
CHANGES = 5  # number of values of t, evenly spread over the sequence
SIZE = 6.4, 3.2


def probe(subject: Subject) -> Measured:
    """The largest change before t, in the layer's units and in sd of its outputs.

    Raises:
        NotApplicableError: for images, and for networks without a layer that has steps.
    """
    spec = subject.loaded.spec
    if spec.kind != "sequence":
        raise NotApplicableError("the data holds images, which have no time axis")
    rows = [row for row in subject.layers if len(row.output_size) == 1]
    if not rows or rows[-1].type == "InputLayer":
        raise NotApplicableError("no layer of the network has steps")
    row = rows[-1]
    watched = keras.Model(subject.model.inputs, subject.model.get_layer(row.name).output)
    x = subject.loaded.test.x[chosen(subject, EXAMPLES)]
    before = outputs(watched, x)
    steps, (stride,) = x.shape[1], row.effective_stride
    when = times(before.shape[1], steps, stride if isinstance(stride, int) else float(stride))
    noise = np.random.default_rng([subject.seed, zlib.crc32(b"leak")]).normal(size=x.shape)
    starts = changed_from(steps)
    changes = np.stack([_change(watched, x, before, noise, t) for t in starts])
    leaks = np.where(when < starts[:, None], changes, 0.0)
    largest, sd = float(leaks.max()), float(before.std())
    back = np.where(leaks > 0, starts[:, None] - when, 0).max(axis=1)
    values = {
        "layer": row.name,
        "largest_change": largest,
        "in_sd": largest / sd if sd else 0.0,
        "steps_back": int(back.max()),
        "by_t": {str(t): float(leak.max()) for t, leak in zip(starts, leaks, strict=True)},
        "examples": len(x),
    }
    maps = {"changes": changes, "starts": starts, "steps": when}
    figure = canvas.panels([maps], lambda axis, _: _draw(axis, maps, sd, row.name), SIZE)
    return Measured(values, pixels(figure), maps, _line(values))


def changed_from(steps: int) -> np.ndarray:
    """The values of t: distinct and inside the sequence."""
    return np.unique(np.linspace(0, steps, CHANGES + 2)[1:-1].round().astype(int))


def times(outputs: int, steps: int, stride: float) -> np.ndarray:
    """The step to which each output belongs, counted from the last."""
    return steps - 1 - stride * np.arange(outputs - 1, -1, -1)


def _change(
    watched: keras.Model, x: np.ndarray, before: np.ndarray, noise: np.ndarray, t: int
) -> np.ndarray:
    """The largest change at each output, (outputs,), when the steps from t on change."""
    changed = x.copy()
    changed[:, t:] += noise[:, t:].astype(x.dtype)
    apart = np.abs(outputs(watched, changed) - before)
    largest: np.ndarray = apart.max(axis=(0, -1))
    return largest


def _line(values: dict[str, Any]) -> str:
    at = f"at {values['layer']}"
    if values["largest_change"] == 0:
        return f"none: the inputs from t on change no output before t, exactly 0 {at}"
    return (
        f"looks {values['steps_back']} steps ahead {at}: outputs before t change by up to "
        f"{values['largest_change']:.3g} ({values['in_sd']:.2g} sd)"
    )


def _draw(axis: Axes, maps: dict[str, np.ndarray], sd: float, layer: str) -> None:
    for i, (t, change) in enumerate(zip(maps["starts"], maps["changes"], strict=True)):
        axis.plot(maps["steps"], change / (sd or 1.0), color=canvas.colour(i), lw=1.3, label=f"{t}")
        axis.axvline(t - 0.5, color=canvas.colour(i), lw=0.8, ls=":")
    axis.set_title(
        f"change at {layer}; a line that extends to the left of its dots has seen the future"
    )
    axis.set_xlabel("output at step")
    axis.set_ylabel("largest change, sd")
    axis.set_yscale("symlog", linthresh=0.01)  # a small leak is also a leak
    axis.set_ylim(bottom=0)
    axis.grid(True)
    axis.legend(title="inputs changed\nfrom step", loc="upper left", bbox_to_anchor=(1, 1))
