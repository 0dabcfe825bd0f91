"""TFDS builder of red_green_published: red_green with the validation pictures as published."""

import tensorflow_datasets as tfds

from data.builders import VERSIONS, red_green


class Builder(red_green.Builder):
    """As red_green, but validated on the first 1,000 training pictures, as the paper did."""

    name = "red_green_published"
    VERSION = tfds.core.Version(VERSIONS["red_green_published"])
    PUBLISHED_VALIDATION = True
