"""What comes back up, on one axis: which pixels of its map each output reads, and how often.

A transposed convolution with a kernel of ones writes each pixel, those of a border too where the
mode has one, to every output that a tap of it reaches; upsampling repeats pixels, or weighs two of
them. All are matrices (outputs, pixels), as those of `.responses` are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...padding import MODES
from ...padding.definitions import Mask
from ...padding.modes import ZEROS


@dataclass(frozen=True)
class Spread:
    """A transposed convolution on an axis of `size` pixels.

    Attributes:
        outputs: how many there are.
        reads: the taps of the kernel, in order, from 0 on.
        strides: between the outputs to which neighbours are written.
        cut: outputs that are cut off at the start.
        before, after: pixels of the border by which the map goes on.
        mode: what they hold; zeros for all that copy no pixel.
    """

    size: int
    outputs: int
    reads: tuple[int, ...]
    strides: int
    cut: int
    before: int = 0
    after: int = 0
    mode: str = ZEROS
    splits: bool = False

    def taps(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixel that each tap of each output reads, and which of them read one at all.

        Both of shape (outputs, taps); pixels are counted from the map's first and may lie outside.
        """
        written = self.cut + np.arange(self.outputs)[:, None] - np.array(self.reads)
        return written // self.strides, written % self.strides == 0

    def matrix(self) -> sparse.csr_array:
        """Return the map from the padded axis to the outputs, (outputs, before + size + after)."""
        pixels, reads = self.taps()
        pixels = pixels + self.before
        width = self.before + self.size + self.after
        output, tap = np.nonzero(reads & (pixels >= 0) & (pixels < width))
        entries = (np.ones(len(output)), (output, pixels[output, tap]))
        return sparse.csr_array(sparse.coo_array(entries, shape=(self.outputs, width)))

    def counts(self) -> np.ndarray:
        """Return how many pixels each output reads, on the map or beyond it: (outputs,)."""
        return self.taps()[1].sum(axis=1)

    def covered(self, frame: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Return how many of them lie on the map, and within a `frame` on it: (outputs,)."""
        pixels, reads = self.taps()
        on_map = (pixels >= frame[0]) & (pixels < self.size - frame[1])
        return (reads & on_map).sum(axis=1)

    def content(self, side: int, frame: tuple[int, int]) -> float:
        """Return the share of what is read that lies on the map, and within a `frame` on it."""
        return float(self.covered(frame).sum() / max(1, self.counts().sum()))

    def scale(self, mask: str) -> np.ndarray:
        """Return by what a mask multiplies each output: (outputs,); 1 where no tap reads."""
        rule, counts, covered = MODES[mask], self.counts(), self.covered()
        assert isinstance(rule, Mask)
        scale = np.ones(self.outputs)
        for taps in set(counts[counts > 0].tolist()):
            chosen = counts == taps
            scale[chosen] = rule.scale(covered[chosen], taps, np)
        return scale


@dataclass(frozen=True)
class Resized:
    """An axis of `size` pixels that is resized from `old` to `new`, a whole number of times."""

    size: int
    old: int
    new: int
    bilinear: bool
    before: int = 0
    after: int = 0
    mode: str = ZEROS
    splits: bool = False

    def counts(self) -> np.ndarray:
        """Return the sum of each output's weights: ones, (outputs,)."""
        return np.ones(self.size * self.new // self.old)

    def content(self, side: int, frame: tuple[int, int]) -> float:
        """Return 1: there is no border."""
        return 1.0

    def matrix(self) -> sparse.csr_array:
        """Return the map from the axis to the outputs, (outputs, size); its border is clamped."""
        outputs = np.arange(self.size * self.new // self.old)
        twice = (2 * outputs + 1) * self.old - self.bilinear * self.new
        low = twice // (2 * self.new)
        share = twice / (2 * self.new) - low if self.bilinear else np.zeros(len(outputs))
        shape = (len(outputs), self.size)
        return sum(
            sparse.csr_array(
                sparse.coo_array(
                    (weight, (outputs, np.clip(low + step, 0, self.size - 1))), shape=shape
                )
            )
            for step, weight in ((0, 1 - share), (1, share))
        )
