"""The statistics of a study: pure functions on arrays, without files, models or plots.

`looks`: the interval that decides. `family`: the exact test beside it. `verdict`: the result in
words. `paired`: one sample, one comparison. `items`: the test images as a second source of
randomness. `simulation`, `new_images` and `false_findings`: how often all this is wrong.

`differences` is always a matrix with one row per seed and one column per comparison, in points of
the primary metric, cell minus baseline.
"""
