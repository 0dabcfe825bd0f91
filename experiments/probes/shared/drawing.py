"""From a figure to the pixels that a probe returns."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from experiments.report.pages.pictures import canvas


def pixels(figure: Figure) -> np.ndarray:
    """The figure on a white background: uint8 (height, width, 3)."""
    with Image.open(io.BytesIO(canvas.png(figure))) as image:
        return np.asarray(image.convert("RGB"))
