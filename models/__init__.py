"""Padding as an experiment: Keras layers with any border, and a zoo to compare them in.

    import padzoo

    x = padzoo.Conv2D(32, 3, padding="reflect")(x)
    padzoo.lint(keras.Model(inputs, x))
    model = padzoo.build("small_cnn", input_shape=(32, 32, 3), num_classes=10, padding="circular")

The package is called `padzoo`; in the checkout, where it stands under the project, it is the folder
`models`. `import padzoo` imports Keras and registers the layers, so that saved networks load.
`import models` loads no framework: what needs Keras comes with its first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .building import build, smallest_input
from .padding import Padding, PaddingError
from .registry import (
    SPATIAL_RANK,
    DoesNotFitError,
    Gives,
    Kind,
    ModelError,
    gives,
    kind,
    names,
    options,
)

if TYPE_CHECKING:
    from .align import align
    from .bind import bind
    from .geometry.findings.lint import lint
    from .geometry.tiling.halo import Halo, halo
    from .geometry.tiling.predict_tiled import predict_tiled
    from .geometry.tiling.tiled_network import TileError
    from .geometry.tracing.trace import TraceError, trace
    from .layers import (
        AveragePooling1D,
        AveragePooling2D,
        BatchNormalization,
        CollapseError,
        Conv1D,
        Conv1DTranspose,
        Conv2D,
        Conv2DTranspose,
        DepthToSpace,
        DepthwiseConv2D,
        LastStep,
        LocalResponseNormalization,
        MaxPooling1D,
        MaxPooling2D,
        PadChannels,
        PadInput1D,
        PadInput2D,
        SeparableConv2D,
        WeightNormConv1D,
        pad,
    )

__all__ = [
    "SPATIAL_RANK",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "CollapseError",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "DepthToSpace",
    "DepthwiseConv2D",
    "DoesNotFitError",
    "Gives",
    "Halo",
    "Kind",
    "LastStep",
    "LocalResponseNormalization",
    "MaxPooling1D",
    "MaxPooling2D",
    "ModelError",
    "PadChannels",
    "PadInput1D",
    "PadInput2D",
    "Padding",
    "PaddingError",
    "SeparableConv2D",
    "TileError",
    "TraceError",
    "WeightNormConv1D",
    "__version__",
    "align",
    "bind",
    "build",
    "gives",
    "halo",
    "kind",
    "lint",
    "names",
    "options",
    "pad",
    "predict_tiled",
    "smallest_input",
    "trace",
]

__version__ = "0.1.0"  # the only place; pyproject.toml reads it

# Where the names are that need Keras, if they are no layers.
_PLACES = {
    "Halo": "geometry.tiling.halo",
    "halo": "geometry.tiling.halo",
    "lint": "geometry.findings.lint",
    "predict_tiled": "geometry.tiling.predict_tiled",
    "TileError": "geometry.tiling.tiled_network",
    "trace": "geometry.tracing.trace",
    "TraceError": "geometry.tracing.trace",
}


if not TYPE_CHECKING:  # for whom every name would exist

    def __getattr__(name: str) -> Any:
        # `align` and `bind` are modules, too; they are made the functions below.
        if name not in __all__ or name in ("align", "bind"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f".{_PLACES.get(name, 'layers')}", __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if __name__ == "padzoo":
    # Saved networks load after `import padzoo` alone: Keras finds the layers once they are defined.
    from . import layers  # noqa: F401
    from .align import align
    from .bind import bind
