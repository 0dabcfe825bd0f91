"""From a study's folder to what is said of it.

`reading`: the runs and what is wrong with them. `families`: which cells belong together.
`differences`: every cell against its baseline. `content`: the report as blocks, which `document`
turns into Markdown and `html` into a page; `sheets`: the same as CSV files. `plots`: the pictures.
`summary`: the same for TensorBoard.
"""
