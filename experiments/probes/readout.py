"""Position read-out: how well a feature's position can be predicted from frozen features.

Islam, Jia & Bruce, ICLR 2020 (arXiv:2001.08248). Up to five feature maps of a network, one per
resolution, are resized to 28×28 and stacked. From them one 3×3 convolution without padding, the
reader, is fitted on training images to predict a map of position that is the same for every image:
H rises from left to right, V from top to bottom, G is a Gaussian around the centre. On held-out
images the predicted maps are compared with the true one: SPC is Spearman's rank correlation over
positions, MAE the mean absolute error, each averaged over images. Features without information
about position give SPC 0. Such information can come from the borders of the convolutions, or from
images whose content depends on position.

Two things differ from the paper. The reader is fitted by least squares with a small penalty
(`experiments.probes.shared.readers.ridge`), while theirs has batch normalisation and a sigmoid and
is trained by SGD. Ours needs no learning rate, has no randomness, and is the best linear reader, so
it may reach a slightly higher SPC (`experiments.benchmarks.posenet` has both on the same images).
And maps are compared at 26×26, the size of the convolution's output, not resized to the image.

The same is done with the network's input alone: `input` is the SPC reached from the images
themselves. Sequences have only H.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from experiments.probes.shared import looking
from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.readers import position_maps as maps
from experiments.probes.shared.readers import ridge
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from models.geometry.tracing.trace import Row

MEASURES = "how well position can be predicted from frozen features (PosENet)"
FEATURES, MOST_MAPS = 28, 5
FITTED, HELD_OUT = 128, 96
SHOWN = 3  # number of held-out examples in the picture


def probe(subject: Subject) -> Measured:
    """Fit and score the reader of a network's feature maps, and of its input.

    Returns:
        values: `layers`, the feature maps used; `n`, the number of held-out examples; for each map
            of position, `spc` and `mae` of the network, and `input`, the SPC of the input alone.
            maps: the mean prediction for each, (26, 26) or (26,), and as `<name>_spc` the SPC of
            each example.

    Raises:
        NotApplicableError: if the network has no feature map to read.
    """
    names = chosen(subject.layers)
    if not names:
        raise NotApplicableError(
            "readout needs the feature maps of convolutions, and there are none"
        )
    x, _ = looking.sample(subject.loaded.train, FITTED, subject.seed)
    x_test, _ = looking.sample(subject.loaded.test, HELD_OUT, subject.seed)
    told = read(features(subject, names, x), features(subject, names, x_test))
    alone = read(at_size([x]), at_size([x_test]))
    found: dict[str, dict[str, float]] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, drawn in told.items():
        truth = maps.target(name, drawn.shape[1:])
        spc = maps.spearman(drawn, truth)
        found[name] = {
            "spc": float(spc.mean()),
            "mae": float(np.abs(drawn - truth).mean()),
            "input": float(maps.spearman(alone[name], truth).mean()),
        }
        arrays |= {name: drawn.mean(axis=0).astype(np.float32), f"{name}_spc": spc}
    values = {"layers": names, "n": len(x_test), **found}
    line = "   ".join(f"{k} {one['spc']:.2f} ({one['input']:.2f})" for k, one in found.items())
    line = f"SPC (rank correlation) {line}   in brackets: from the images alone   n = {len(x_test)}"
    return Measured(values, picture(told, found), arrays, line)


def chosen(layers: Sequence[Row]) -> list[str]:
    """Choose the feature maps to read: the last of each resolution that has a convolution.

    If there are more than five resolutions, five are chosen, evenly over the depth and including
    the last; from a network with one resolution, five maps are chosen in the same way. A map is the
    output of a convolution or pooling layer and all layers before the next one.
    """
    spatial = [row for row in layers if row.output_size]
    starts = [i for i, row in enumerate(spatial) if max(row.kernel_size) > 1]
    ends = [*starts[1:], len(spatial)][: len(starts)]
    found = [
        (spatial[start].effective_stride, spatial[end - 1].name)
        for start, end in zip(starts, ends, strict=True)
        if "Conv" in spatial[start].type
    ]
    by_stride = dict(found)  # the last of each
    names = list(by_stride.values()) if len(by_stride) > 1 else [name for _, name in found]
    if len(names) <= MOST_MAPS:
        return names
    places = np.linspace(0, len(names) - 1, MOST_MAPS).round().astype(int)
    return [names[i] for i in places]


def features(subject: Subject, names: Sequence[str], x: np.ndarray) -> np.ndarray:
    """Return the named feature maps of x at one size: (n, 28, 28, channels) or (n, 28, c)."""
    batches = looking.activations(subject.model, names, x)
    return np.concatenate([at_size(batch) for batch in batches])


def at_size(together: Sequence[np.ndarray]) -> np.ndarray:
    """Return maps (n, *spatial, channels) resized to 28 and stacked by channel."""
    same = [maps.along_space(one, lambda n: maps.corner_weights(n, FEATURES)) for one in together]
    return np.concatenate(same, axis=-1)


def read(x: np.ndarray, x_test: np.ndarray) -> dict[str, np.ndarray]:
    """Fit a reader on features x; return its predictions for x_test: (n, 26, 26) by name."""
    size = [n - ridge.KERNEL + 1 for n in x.shape[1:-1]]
    names = ("H", "V", "G") if len(size) == 2 else ("H",)
    targets = np.stack([maps.target(name, size) for name in names], axis=-1)
    drawn = ridge.fit(x, targets.astype(np.float32))(x_test)
    return {name: drawn[..., i] for i, name in enumerate(names)}


def picture(told: dict[str, np.ndarray], found: dict[str, dict[str, float]]) -> np.ndarray:
    """For each map of position: the true one, the mean prediction, and those of some examples."""
    truths = {name: maps.target(name, drawn.shape[1:]) for name, drawn in told.items()}
    if "G" not in told:
        return pixels(canvas.panels(["H"], _lines(told["H"], found["H"]), (4.6, 3.2)))
    subjects: list[Any] = []
    for name, drawn in told.items():
        score = f"SPC {found[name]['spc']:.2f}, input alone {found[name]['input']:.2f}"
        subjects += [(name, truths[name]), (f"predicted: {score}", drawn.mean(axis=0))]
        subjects += [(f"example {i + 1}", drawn[i]) for i in range(SHOWN)]

    def draw(axis: Axes, subject: tuple[str, np.ndarray]) -> None:
        title, values = subject
        axis.imshow(values, cmap="viridis", vmin=0, vmax=1)
        axis.set_title(title, fontsize=7)
        axis.set_axis_off()

    return pixels(canvas.panels(subjects, draw, (1.9, 1.8), across=2 + SHOWN))


def _lines(drawn: np.ndarray, found: dict[str, float]) -> Any:
    def draw(axis: Axes, name: str) -> None:
        truth = maps.target(name, drawn.shape[1:])
        for i in range(SHOWN):
            label = "examples" if i == 0 else None
            axis.plot(drawn[i], color=canvas.COLOURS[-1], lw=0.8, label=label)
        axis.plot(drawn.mean(axis=0), color=canvas.DOT, lw=2, label="mean prediction")
        axis.plot(truth, color=canvas.MEAN, lw=1.2, ls="--", label="true")
        axis.set(xlabel=f"step, of {len(truth)}", ylim=(-0.2, 1.2))
        axis.set_title(f"SPC {found['spc']:.2f}, input alone {found['input']:.2f}")
        axis.legend(loc="upper left")

    return draw
