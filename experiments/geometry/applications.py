"""The networks of keras.applications and their standard input sizes."""

from __future__ import annotations

from typing import Any

from conf.reader import ConfigError, unknown

# Keras' builder: pixels per side.
SIZES: dict[str, int] = {
    **dict.fromkeys(("VGG16", "VGG19"), 224),
    **dict.fromkeys(("Xception", "InceptionV3", "InceptionResNetV2"), 299),
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), 224),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), 224),
    **dict.fromkeys(("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"), 224),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), 224),
    "NASNetMobile": 224,
    "NASNetLarge": 331,
    "EfficientNetB0": 224,
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B0": 224,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    **dict.fromkeys(("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase"), 224),
    **dict.fromkeys(("ConvNeXtLarge", "ConvNeXtXLarge"), 224),
}


def build(name: str, sizes: tuple[int, ...] | None) -> Any:
    """Build a network of keras.applications, untrained, with its head for 1000 classes.

    Args:
        name: a key of `SIZES`; no other names are accepted.
        sizes: (height, width); None for the network's standard size.

    Raises:
        ConfigError: for an unknown name, or sizes that the network does not take.
    """
    if name not in SIZES:
        raise unknown("network of keras.applications", name, SIZES)
    import keras

    height, width = sizes or (SIZES[name], SIZES[name])
    try:
        return getattr(keras.applications, name)(weights=None, input_shape=(height, width, 3))
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{name} does not take {height}x{width} pixels: {reason}") from None
