"""Keras' layers with a padding of their own; importing this registers them with Keras."""

from .channels import DepthToSpace, PadChannels
from .convolution import Conv1D, Conv2D, WeightNormConv1D
from .depthwise import DepthwiseConv2D, SeparableConv2D
from .engine.extend import CollapseError, pad
from .normalization import BatchNormalization, LocalResponseNormalization
from .pad_input import PadInput1D, PadInput2D
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    LastStep,
    MaxPooling1D,
    MaxPooling2D,
)
from .transposed import Conv1DTranspose, Conv2DTranspose

__all__ = [
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
    "LastStep",
    "LocalResponseNormalization",
    "MaxPooling1D",
    "MaxPooling2D",
    "PadChannels",
    "PadInput1D",
    "PadInput2D",
    "SeparableConv2D",
    "WeightNormConv1D",
    "pad",
]
