"""PosENet alone on natural images: can a convolution read position from its own zeros?

    python -m experiments.benchmarks.posenet --data-dir FOLDER [--seeds 3]

Islam, Jia & Bruce, ICLR 2020 (arXiv:2001.08248), table 4, first three lines: one 3×3 convolution
sees raw images at 28×28 and is trained to predict a position map that is the same for all of them.
With 0, 1 and 2 pixels of zeros around its input, its rank correlation (SPC) with the map rises. The
protocol is that of the authors' code: images from 0 to 1 are sampled at 28×28, the convolution is
followed by batch normalisation and a sigmoid, its output is resized to 224×224 and compared there
by the mean squared error; SGD, momentum 0.9, weight decay 1e-4, batch 32, 15 epochs at a learning
rate of 0.1, a tenth of it from the eleventh on. They trained on 10,533 images of DUT-S and tested
on the 850 of PASCAL-S; here the same numbers of images come from cifar10 (32×32, first resized to
224×224).

Objects in cifar10 are usually in the middle, so the images themselves contain information about
position. "windows" are 32×32 windows at random positions of cifar10 images placed side by side: any
content is equally likely at any position, so all information comes from the border. "exact" is the
reader of experiments.probes (least squares, no sigmoid) on the first 300 of the images.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from experiments import terminal
from experiments.benchmarks.options import Parser, at_least, facts
from experiments.probes.shared.readers import position_maps as maps
from experiments.probes.shared.readers import ridge
from experiments.run import framework

MAPS, PADS, KINDS = ("H", "V", "G"), (0, 1, 2), ("cifar10", "windows")
TRAINED, TESTED, EXACT = 10_533, 850, 300
SIZE, FEATURES, SCORED = 224, 28, 112  # only every second pixel of 224 is scored, which is faster
BATCH, EPOCHS, RATE, LATE = 32, 15, 0.1, 10


def main(arguments: list[str]) -> int:
    parser = Parser("posenet", __doc__)
    parser.add_argument("--data-dir", metavar="FOLDER", help="folder with the prepared cifar10")
    parser.add_argument("--seeds", type=at_least(1), default=3, metavar="N", help="default: 3")
    parser.add_argument("--quick", action="store_true", help="a trial with one seed and few images")
    parser.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    parser.add_out("posenet")
    options = parser.parse_args(arguments)
    import data
    from experiments.benchmarks.posenet import posenet_report

    settings = data.DataConfig(
        "cifar10", "tfds", data_dir=options.data_dir, normalize="unit", validation=0.0
    )
    try:
        framework.start(options.backend)
        loaded = data.load(settings)
    except ValueError as error:
        terminal.complain(str(error))
        return 2
    share = 20 if options.quick else 1
    rows = []
    for row in measured(loaded, range(1 if options.quick else options.seeds), share):
        terminal.say(posenet_report.line(row))
        rows.append(row)
    where = ["--data-dir", "…"] if options.data_dir else []
    said = [*where, "--seeds", str(options.seeds)]
    how = f"{TRAINED // share:,} images for training, {TESTED // share:,} for the test, by seed"
    stated = facts("posenet", said, framework.versions(), how, options.backend)
    terminal.say("\n".join(map(str, posenet_report.write(options.out, rows, stated))))
    return 0


def measured(loaded: Any, seeds: range, share: int) -> Iterator[dict[str, Any]]:
    """One row for each kind of image, seed, padding, reader and map, with 1/`share` of the data."""
    for seed in seeds:
        for kind in KINDS:
            x = pictures(loaded.train.x, kind, TRAINED // share, seed)
            x_test = pictures(loaded.test.x, kind, TESTED // share, seed)
            for pad in PADS:
                around = ((0, 0), (pad, pad), (pad, pad), (0, 0))
                seen, asked = np.pad(x, around), np.pad(x_test, around)
                told = {"sgd": trained(seen, asked, seed), "exact": exact(seen[:EXACT], asked)}
                for reader, predicted in told.items():
                    for name, spc, mae in scores(predicted):
                        found = {"pictures": kind, "reader": reader, "pad": pad, "map": name}
                        yield {**found, "seed": seed, "spc": spc, "mae": mae}


def pictures(x: np.ndarray, kind: str, count: int, seed: int) -> np.ndarray:
    """Draw images, or windows of adjacent images, as features (count, 28, 28, 3)."""
    rng = np.random.default_rng([seed, KINDS.index(kind), len(x)])
    if kind == "cifar10":
        drawn = x[np.sort(rng.choice(len(x), count, replace=False))]
    else:
        drawn = np.stack([window(x, rng) for _ in range(count)])
    return maps.along_space(drawn, lambda n: maps.corner_weights(SIZE, FEATURES) @ stretched(n))


def window(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window of the size of an image at a random position in four images, two by two."""
    size = x.shape[1]
    one, two, three, four = x[rng.integers(len(x), size=4)]
    together = np.concatenate([np.hstack([one, two]), np.hstack([three, four])])
    top, left = rng.integers(size, size=2)
    return together[top : top + size, left : left + size]


def stretched(size: int, to: int = SIZE) -> np.ndarray:
    """Return the matrix (to, size) of bilinear resizing."""
    from data.transforms import resize_weights

    return resize_weights(size, to)


def exact(x: np.ndarray, x_test: np.ndarray) -> np.ndarray:
    """The predictions of the least-squares reader for the test images: (n, height, width, maps)."""
    size = [n - ridge.KERNEL + 1 for n in x.shape[1:3]]
    targets = np.stack([maps.target(name, size) for name in MAPS], axis=-1).astype(np.float32)
    return ridge.fit(x, targets)(x_test)


def trained(x: np.ndarray, x_test: np.ndarray, seed: int) -> np.ndarray:
    """The predictions of the trained reader for the test images: (n, height, width, maps)."""
    import keras

    framework.fresh(precision="float32", seed=seed)
    layers, decay = keras.layers, keras.regularizers.L2(1e-4 / 2)  # half the factor in its gradient
    most = float(np.sqrt(6 / (9 * x.shape[-1] + 9)))  # Glorot's bound for one map
    inputs = keras.Input(x.shape[1:])
    y = layers.Conv2D(
        len(MAPS),
        ridge.KERNEL,
        kernel_initializer=keras.initializers.RandomUniform(-most, most),
        kernel_regularizer=decay,
        bias_regularizer=decay,
    )(inputs)
    y = layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, beta_regularizer=decay, gamma_regularizer=decay
    )(y)
    model = keras.Model(inputs, layers.Activation("sigmoid")(y))
    steps = -(-len(x) // BATCH)
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([steps * LATE], [RATE, RATE / 10])
    optimizer = keras.optimizers.SGD(rates, momentum=0.9)
    model.compile(optimizer, loss_of(y.shape[1]), steps_per_execution=min(32, steps))
    model.fit(x, np.zeros((len(x), 1)), batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model.predict(x_test, verbose=0)


def loss_of(size: int) -> Any:
    """The mean squared error of resized maps, summed over the three, without resizing them.

    With U the resizing, |U p U' - t|^2 = <p, U'U p U'U> - 2 <p, U' t U> + |t|^2.
    """
    from keras import ops

    up = stretched(size)
    gram = (up.T @ up).astype(np.float32)
    targets = np.stack([maps.target(name, (SIZE, SIZE)) for name in MAPS], axis=-1)
    pulled = np.einsum("yi,yxt,xj->ijt", up, targets, up, optimize=True).astype(np.float32)
    constant = float(np.square(targets).sum())

    def loss(_: Any, drawn: Any) -> Any:
        both = ops.einsum("xj,nyjt->nyxt", gram, ops.einsum("yi,nixt->nyxt", gram, drawn))
        return (ops.sum(drawn * (both - 2 * pulled), axis=(1, 2, 3)) + constant) / SIZE**2

    return loss


def scores(predicted: np.ndarray) -> Iterator[tuple[str, float, float]]:
    """For each map its name, mean rank correlation and mean absolute error after resizing."""
    wide = maps.along_space(predicted, lambda n: stretched(n)[:: SIZE // SCORED])
    for i, name in enumerate(MAPS):
        truth = maps.target(name, (SIZE, SIZE))[:: SIZE // SCORED, :: SIZE // SCORED]
        error = float(np.abs(wide[..., i] - truth).mean())
        yield name, float(maps.spearman(wide[..., i], truth).mean()), error


if __name__ == "__main__":
    sys.exit(terminal.call(main))
