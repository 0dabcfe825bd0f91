"""The error of a training that no longer has finite numbers."""


class DivergedError(ArithmeticError):
    """A loss or an output is no longer finite."""
