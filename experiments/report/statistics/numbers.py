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


def amount(sizes: list[tuple[float, float, float]], unit: str = POINTS) -> str:
    """Sizes of differences in a sentence, each with its interval, and their unit.

    A size that lies outside its interval, which later looks may have narrowed, is left out.

    Example:
        >>> amount([(26.21, 23.28, 29.14), (23.4, 21.0, 25.8)])
        '26.2 (23.3 to 29.1) and 23.4 (21.0 to 25.8) points'
        >>> amount([(0.83, 1.61, 2.24)]), amount([(0.00321, 0.003, 0.0034)], "")
        ('1.6 to 2.2 points', '0.00321 (0.003 to 0.0034)')
    """

    def told(value: float) -> str:
        return f"{value:.1f}" if unit == POINTS else signed(value, unit).lstrip("+")

    every = [
        f"{told(size)} ({told(low)} to {told(high)})"
        if low <= size <= high
        else f"{told(low)} to {told(high)}"
        for size, low, high in sizes
    ]
    *first, last = every
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{listed} {unit}".rstrip()
