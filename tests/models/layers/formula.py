"""A padded layer by the formula in its mode's own file, in NumPy: for modes without an oracle."""

import numpy as np

from models.padding import MODES
from models.padding.axes import terms
from models.padding.definitions import IndexRule, PlaneRule, Statistic, Weight


def padded(x, widths, mode, value=0.0, learned=None):
    """Pad (batch, *spatial, channels), pixel after pixel."""
    rule, space = MODES[mode], tuple(range(1, x.ndim - 1))
    if isinstance(rule, PlaneRule):
        return _over_the_plane(x, widths, rule)
    if rule.by_axis and rule.needs_size:
        for axis, width in zip(space, widths, strict=True):
            x = _along(np.moveaxis(x, axis, 0), width, mode)
            x = np.moveaxis(x, 0, axis)
        return x
    fill = np.zeros(x.shape[-1])
    if isinstance(rule, Statistic):
        fill = rule.level(x, space, np)
    elif isinstance(rule, Weight):
        fill = learned
    elif isinstance(rule, IndexRule) and rule.takes_value:
        fill = np.broadcast_to(value, (x.shape[-1],))
    sizes = [n + sum(width) for n, width in zip(x.shape[1:-1], widths, strict=True)]
    found = np.empty((len(x), *sizes, x.shape[-1]))
    found[:] = np.reshape(fill, (-1, *(1,) * len(space), x.shape[-1]))
    inside = [slice(a, a + n) for (a, _), n in zip(widths, x.shape[1:-1], strict=True)]
    found[(slice(None), *inside)] = x
    return found


def _along(x, width, mode):
    """Pad the first axis."""
    size, found = len(x), np.zeros((len(x) + sum(width), *x.shape[1:]))
    for index, weight in terms(size, *width, mode):
        for place in range(len(found)):
            found[place] += (1 if weight is None else weight[place]) * x[index[place]]
    return found


def _over_the_plane(x, widths, rule):
    (top, bottom), (left, right) = widths
    height, width = x.shape[1:3]
    found = np.zeros((len(x), top + height + bottom, left + width + right, x.shape[-1]))
    for row, column in np.ndindex(found.shape[1:3]):
        place = np.array(row - top), np.array(column - left)
        found[:, row, column] = x[(slice(None), *rule.source(*place, (height, width)))]
    return found
