"""From a study's folder to what is said of it.

`reading`: the runs, and what is wrong with them. `families`: which cells belong together.
`differences`: every cell against its baseline. `content`, with `descriptive` and `origins`: what
the report says, as blocks, which `document` writes as Markdown and `html` as a page. `sheets`: the
numbers as CSV files. `plots`, on `canvas`: the pictures. `summary`: the same for TensorBoard.
"""
