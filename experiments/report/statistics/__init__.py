"""What a study's numbers say: pure functions on arrays, without files, models or plots.

`paired`: one comparison. `family`: all comparisons with a baseline at once. `items`: the test
images as a second source of chance. `verdict`: what to say of it in words.

Everywhere `differences` is a matrix with one row a seed and one column a comparison, in points of
the primary metric, cell minus baseline, every row from one seed.
"""
