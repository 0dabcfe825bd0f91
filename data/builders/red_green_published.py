"""TFDS builder of red_green_published: red_green with the published validation images."""

import tensorflow_datasets as tfds

from data.builders import red_green

VERSION = "1.0.0"


class Builder(red_green.Builder):
    """As red_green, but validated on the first 1,000 training images, as in the paper."""

    name = "red_green_published"
    VERSION = tfds.core.Version(VERSION)
    PUBLISHED_VALIDATION = True
