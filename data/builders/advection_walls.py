"""TFDS builder of advection_walls: as advection, in a channel between two insulated walls.

The flow is from left to right, where the borders meet. Nothing flows through the walls above the
first and below the last row, and there the field is even: mirrored, with its first row repeated. So
the right padding is symmetric for the rows and circular for the columns.
"""

import tensorflow_datasets as tfds

from data.builders import advection

VERSION = "1.0.0"

VELOCITY = (0.0, 2.7)  # cells a step: down, to the right


class Builder(advection.Builder):
    """As advection, with a field that is even about the walls."""

    name = "advection_walls"
    VERSION = tfds.core.Version(VERSION)
    FLOW, WALLS = VELOCITY, True
    ON = "a channel: left and right meet, and above and below are insulated walls"
