"""The trace of every family of keras.applications, against gradients through its clone."""

import pytest

from tests.models.geometry.applications import measured, network, traced

# Pixels on the long axis, which hold the field of an output in the middle, and on the short one.
QUICK = {"VGG16": (300, 40), "MobileNet": (401, 40), "MobileNetV3Small": (900, 40)}
SIZES = QUICK | {
    "ResNet50": (600, 40),
    "ResNet50V2": (600, 40),
    "InceptionV3": (1700, 80),
    "InceptionResNetV2": (3600, 80),
    "Xception": (1400, 80),
    "MobileNetV2": (700, 40),
    "DenseNet121": (2600, 40),
    "NASNetMobile": (3000, 40),
    "EfficientNetB0": (1200, 40),
    "EfficientNetV2B0": (1000, 40),
    "ConvNeXtTiny": (2400, 40),
}


def check(name, size, axis):
    model = network(name, size)
    row, expected = traced(model, axis)
    assert measured(model, axis, row) == expected


@pytest.mark.full
@pytest.mark.parametrize("name", QUICK)
def test_a_family(name):
    check(name, SIZES[name], 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_every_family(name):
    long, short = SIZES[name]
    check(name, (short, long), 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0", "Xception"])
def test_where_the_odd_pixels_of_strides_lie_elsewhere(name):
    long, short = SIZES[name]
    check(name, (long + 1, short), 0)
