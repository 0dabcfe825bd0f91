"""The statistics of a study: pure functions on arrays, without files, models or plots.

`paired`: one comparison. `family`: all comparisons with a baseline together. `items`: the test
images as a second source of randomness. `verdict`: the result in words.

`differences` is always a matrix with one row per seed and one column per comparison, in points of
the primary metric, cell minus baseline.
"""
