"""In which precision pixels are added up."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def exact(x: Any) -> Any:
    """Return a tensor for sums over pixels: float32 instead of half precision.

    On a CPU, TensorFlow adds numbers of float16 in float16: ones add up to 2048 and no further,
    and squares above 65504 are infinite. A float32 or a float64 stays what it is.
    """
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
