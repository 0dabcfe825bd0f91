"""What the registry says of a model that does not exist, or that cannot be built as asked.

What every model owes is in `tests/contract`.
"""

import re

import keras
import numpy as np
import pytest

import models
from models import ModelError


def image(name="small_cnn", shape=(28, 28, 1), **kwargs):
    return models.build(name, input_shape=shape, num_classes=10, **kwargs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: image("smal_cnn"),
            r"did you mean small_cnn.*causal_conv1d, .*inception, .*small_cnn",
        ),
        (lambda: models.kind("resnext"), "unknown model"),
        (lambda: image(width=3), r"did you mean widths"),
        (lambda: image(shape=(40, 1)), r"takes an image.*this data: .*causal_conv1d"),
        (
            lambda: image("causal_conv1d"),
            r"takes a sequence.*this data: .*inception, .*small_cnn",
        ),
        (lambda: image(padding="causal"), "one amount per axis"),
        (lambda: image(padding="reflct"), "did you mean reflect"),
        (lambda: image(pools="folow"), "'neutral' or 'follow'"),
        (lambda: image(dropout=float("nan")), "`dropout` of small_cnn must be a finite float"),
        (lambda: image("alexnet", width=float("inf")), "`width` of alexnet must be a finite float"),
        (lambda: image("alexnet", groups=True), "`groups` of alexnet must be 1 or 2.*groups=True"),
        (lambda: image("resnet", depth=20.0), r"`depth` of resnet must be .*depth=20\.0"),
        (lambda: image(head="mean"), "`head` of .* must be 'average' or '"),
        (
            lambda: image(overrides={"stem*": "valid", "stage1*": "same"}),
            r"called 'stem\*'\. Its padded layers: stage1_conv1, .*stage3_conv1\.",
        ),
    ],
)
def test_mistakes_are_one_plain_line(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"kernel_size": 5}, {"downsample": "stride"}])
def test_a_collapse_says_what_works(options):
    says = r"layer '\w+'.*on axis 0.*smallest square input is (\d+)x\1\. Received: input_shape="
    with pytest.raises(ModelError, match=says) as caught:
        image(shape=(9, 40, 1), padding="valid", **options)
    assert "data." not in str(caught.value)  # which is the command line's to say
    smallest = int(re.search(says, str(caught.value))[1])
    image(shape=(smallest, smallest, 1), padding="valid", **options)
    with pytest.raises(ModelError, match=f"input is {smallest}x{smallest}"):
        image(shape=(smallest - 1, smallest - 1, 1), padding="valid", **options)


def test_a_collapsed_sequence_needs_a_length():
    with pytest.raises(ModelError, match=r"level3_conv1'.*sequence that works has 29 steps"):
        models.build("causal_conv1d", input_shape=(20, 1), num_classes=2, padding="valid")
    models.build("causal_conv1d", input_shape=(29, 1), num_classes=2, padding="valid")


def test_the_search_takes_no_random_numbers(monkeypatch):
    """Initialisers draw their seeds from Python's generator: a search must put it back."""

    def refuse_and_build():
        keras.utils.set_random_seed(0)
        with pytest.raises(ModelError, match="collapses"):
            image(shape=(9, 9, 1), padding="valid")
        return image().get_weights()

    searched = refuse_and_build()
    monkeypatch.setattr("models.sizing.smallest_size", lambda make, largest: 24)
    for a, b in zip(searched, refuse_and_build(), strict=True):
        assert np.array_equal(a, b)
