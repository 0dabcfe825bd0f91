"""Saliency at the border: how much the outermost pixels influence the output, relative to others.

The saliency of a pixel is the maximum over its channels of |d logit of the true class / d input|
(Simonyan, Vedaldi & Zisserman 2014, arXiv:1312.6034). For each example, the fraction of its total
saliency at distance 0, 1, 2, … from the nearest border is divided by the fraction of the image's
pixels there. The ratio is 1 if the border counts as much as other pixels, and exactly 1 for a
linear network with global pooling; it is less if fewer windows read the border (under `valid`, a
corner is in one 3×3 window, a pixel in the middle in nine), and more if padding repeats it. The
content of the image near its border also matters, because a trained network responds to it.

Of a network that gives images the derivative is that of one number too: for masks the sum, over the
pixels that count, of the logits of their true classes; for pictures the sum of all values, so that
it says how much the picture as a whole depends on a pixel. It is exactly 1 for a linear circular
network of stride 1, which reads every pixel equally often. Where a pixel raises some values and
lowers others, these cancel.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from experiments.probes.shared import looking
from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas

MEASURES = "how much pixels near the border influence the output, with a few examples"
EXAMPLES, BATCH, SHOWN = 256, 32, 5
TOLD = 4  # number of distances in the values
SIDES = {1: (("start", "end"),), 2: (("top", "bottom"), ("left", "right"))}


def probe(subject: Subject) -> Measured:
    """Measure the saliency of held-out examples by their distance to the border.

    Returns:
        values: `n`, the number of examples (those with any saliency); `ratio`, the mean over
            examples of fraction of saliency / fraction of pixels at distance 0, 1, …; `se`, its
            standard errors; `sides`, the same ratio for each side's first pixels. maps: `mean`,
            the mean over examples of saliency / its mean in the example, (height, width) or
            (steps,); `ratio`, at every distance.

    Raises:
        NotApplicableError: the network predicts a class at every step, or no input changes it.
    """
    if len(subject.model.output_shape) != 2 and not subject.gives_images:
        raise NotApplicableError("saliency needs one prediction per example, not one per step")
    x, y = looking.sample(subject.loaded.test, EXAMPLES, subject.seed)
    found = saliency(subject.model, x, subject.loaded.test.framed(y))
    each = relative(found)
    if not len(each):
        raise NotApplicableError("saliency is zero: no input changes the network's output")
    by_distance = ratios(each)
    mean = by_distance.mean(axis=0)
    errors = by_distance.std(axis=0, ddof=min(1, len(each) - 1)) / np.sqrt(len(each))
    over_examples = each.mean(axis=0)
    values = {
        "n": len(each),
        "ratio": [float(value) for value in mean[:TOLD]],
        "se": [float(value) for value in errors[:TOLD]],
        "sides": sides(over_examples),
    }
    drawn = picture(x[:SHOWN], found[:SHOWN], over_examples, mean)
    arrays = {"mean": over_examples.astype(np.float32), "ratio": mean.astype(np.float32)}
    line = f"outermost pixels {mean[0]:.2f} times the mean   n = {len(each)}"
    return Measured(values, drawn, arrays, line)


def saliency(model: keras.Model, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the greatest |d logit of the label / d x| over channels.

    Args:
        x: (n, *spatial, channels).
        labels: (n,), the class whose logit is differentiated; (n, height, width), those of a mask,
            whose logits are added, -1 for none; or a picture (n, height, width, channels), of which
            all that the model gives is added.

    Returns:
        (n, *spatial), float64.
    """
    derivative = {"tensorflow": _tensorflow, "jax": _jax}[keras.backend.backend()]
    parts = range(0, len(x), BATCH)
    classes = model.output_shape[-1]
    found = [
        derivative(model, x[i : i + BATCH], _wanted(labels[i : i + BATCH], classes)) for i in parts
    ]
    return np.abs(np.concatenate(found).astype(np.float64)).max(axis=-1)


def _wanted(labels: np.ndarray, classes: int) -> np.ndarray:
    """The weight of each output in the sum that is differentiated."""
    if labels.ndim == 4:
        return np.ones_like(labels, dtype=np.float32)
    weights = np.eye(classes, dtype=np.float32)[labels]
    weights[labels < 0] = 0
    return weights


def _tensorflow(model: keras.Model, x: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    inputs = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        asked = tf.reduce_sum(tf.cast(model(inputs, training=False), tf.float32) * wanted)
    return tape.gradient(asked, inputs).numpy()


def _jax(model: keras.Model, x: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    import jax

    trainable = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]

    def asked(inputs: Any) -> Any:
        logits, _ = model.stateless_call(trainable, others, inputs, training=False)
        return (logits * wanted).sum()

    return np.asarray(jax.grad(asked)(x))


def relative(found: np.ndarray) -> np.ndarray:
    """Return saliency divided by its mean in each example; examples without any are left out."""
    space = tuple(range(1, found.ndim))
    mean = found.mean(axis=space, keepdims=True)
    some = (mean > 0).ravel()
    return found[some] / mean[some]


def ratios(each: np.ndarray) -> np.ndarray:
    """Return the mean at each distance from the nearest border: (n, distances)."""
    size = each.shape[1:]
    places = np.meshgrid(*map(np.arange, size), indexing="ij")
    nearest = np.min([[p, n - 1 - p] for p, n in zip(places, size, strict=True)], axis=(0, 1))
    distances = range(int(nearest.max()) + 1)
    return np.stack([each[:, nearest == distance].mean(axis=1) for distance in distances], axis=1)


def sides(mean: np.ndarray) -> dict[str, float]:
    """Return the mean of a map (height, width) or (steps,) at the first pixels of each side."""
    found = {}
    for axis, (before, after) in enumerate(SIDES[mean.ndim]):
        found[before] = float(mean.take(0, axis).mean())
        found[after] = float(mean.take(-1, axis).mean())
    return found


def picture(
    x: np.ndarray, found: np.ndarray, over_examples: np.ndarray, by_distance: np.ndarray
) -> np.ndarray:
    """Examples, their saliency below, with the outermost pixels framed; and the mean."""

    seen = [(f"example {i + 1}", _visible(one), "gray") for i, one in enumerate(x)]
    below = [(f"saliency {i + 1}", one, "magma") for i, one in enumerate(found)]
    subjects = [*seen, ("mean saliency", over_examples, "magma"), *below, ("ratio",)]
    show = _steps if x.ndim == 3 else _picture

    def draw(axis: Axes, subject: Any) -> None:
        if len(subject) == 3:
            show(axis, *subject)
            return
        axis.plot(by_distance, color=canvas.DOT, marker="o", ms=2.5)
        axis.axhline(1, color=canvas.INK, lw=0.6)
        axis.set(ylim=(0, None), xlabel="distance to the border")
        axis.set_title("ratio by distance", fontsize=7)

    return pixels(canvas.panels(subjects, draw, (1.7, 1.75), across=len(x) + 1))


def _picture(axis: Axes, title: str, values: np.ndarray, colours: str) -> None:
    axis.imshow(values, cmap=colours)
    height, width = values.shape[:2]
    frame = Rectangle((0.5, 0.5), width - 2, height - 2, fill=False, ec=canvas.MEAN, lw=0.7)
    axis.add_patch(frame)
    axis.set_title(title, fontsize=7)
    axis.set_axis_off()


def _steps(axis: Axes, title: str, values: np.ndarray, _: str) -> None:
    axis.plot(values, color=canvas.DOT, lw=1)
    for end in (0, len(values) - 1):
        axis.axvspan(end - 0.5, end + 0.5, color=canvas.MEAN, alpha=0.3)
    axis.set_title(title, fontsize=7)


def _visible(one: np.ndarray) -> np.ndarray:
    """An example as a visible image: colours from 0 to 1, or the mean of other channels."""
    if one.ndim == 2 or one.shape[-1] != 3:
        return one.mean(axis=-1)
    return (one - one.min()) / (np.ptp(one) or 1)
