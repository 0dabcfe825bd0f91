"""How a measured value and a difference are written, by their unit.

Per cent, points and dB have two decimals. A measure in the data's own units, which may be grey
levels or thousandths, has three or four significant digits.
"""

POINTS, DB = "points", "dB"
FIXED = (POINTS, DB, "%")


def plain(value: float, unit: str) -> str:
    """A measured value.

    Example:
        >>> plain(81.728, "%"), plain(0.0123456, "")
        ('81.73', '0.01235')
    """
    return f"{value:.2f}" if unit in FIXED else f"{value:.4g}"


def signed(value: float, unit: str = POINTS) -> str:
    """A difference, with its sign.

    Example:
        >>> signed(-0.5), signed(0.00321, "")
        ('-0.50', '+0.00321')
    """
    return f"{value:+.2f}" if unit in FIXED else f"{value:+.3g}"


def brackets(low: float, high: float, unit: str = POINTS) -> str:
    """An interval of differences."""
    return f"[{signed(low, unit)}, {signed(high, unit)}]"


def exactly(size: float, unit: str = POINTS) -> str:
    """A size that was chosen, such as a margin, with its unit.

    Example:
        >>> exactly(1.0), exactly(0.5), exactly(0.005, "")
        ('1 point', '0.5 points', '0.005')
    """
    return f"{size:g} {'point' if size == 1 and unit == POINTS else unit}".rstrip()


def amount(values: list[float], unit: str = POINTS) -> str:
    """Sizes of differences in a sentence, with their unit.

    Example:
        >>> amount([26.21, 23.4]), amount([0.00321], "")
        ('26.2 and 23.4 points', '0.00321')
    """
    told = [f"{value:.1f}" if unit == POINTS else signed(value, unit)[1:] for value in values]
    *first, last = told
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{listed} {unit}".rstrip()
