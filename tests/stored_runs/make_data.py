"""Make the two tiny data sets of the stored runs: the same bytes every time.

Writes data/images.npz and data/sequences.npz beside this file.
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SPLITS = {"train": 60, "test": 24}
SIDE, STEPS, CLASSES = 8, 20, 3


def images(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Noise with a bright line: a row, a column or a falling diagonal, somewhere."""
    x = rng.integers(0, 100, (len(labels), SIDE, SIDE, 1), dtype=np.uint8)
    for one, label, place in zip(x, labels, rng.integers(0, SIDE, len(labels)), strict=True):
        if label == 0:
            one[place] = 255
        elif label == 1:
            one[:, place] = 255
        else:
            for row in range(SIDE):
                one[row, (row + place) % SIDE] = 255
    return x


def sequences(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Noise with a bump of two, four or six steps, somewhere."""
    x = rng.integers(0, 160, (len(labels), STEPS), dtype=np.uint8)
    for one, label in zip(x, labels, strict=True):
        width = 2 * (int(label) + 1)
        place = int(rng.integers(0, STEPS - width + 1))
        one[place : place + width] = 255
    return x


def main() -> None:
    (HERE / "data").mkdir(exist_ok=True)
    for name, make in (("images", images), ("sequences", sequences)):
        rng = np.random.default_rng(0)
        arrays = {}
        for split, n in SPLITS.items():
            labels = rng.permutation(np.arange(n) % CLASSES)
            arrays[f"x_{split}"] = make(rng, labels)
            arrays[f"y_{split}"] = labels.astype(np.uint8)
        np.savez(HERE / "data" / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main()
