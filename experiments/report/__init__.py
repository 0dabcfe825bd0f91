"""From a study's folder to its report.

`reading` reads the runs and lists what is wrong with them. `families` groups the cells that are
compared with each other. `differences` compares every cell with its baseline. `content`, with
`descriptive` and `origins`, builds the report as blocks, which `document` writes as Markdown and
`html` as a page. `sheets` writes the numbers as CSV files. `plots`, on `canvas`, draws the
pictures. `events` writes the same for TensorBoard. `kept` brings a report without its runs up to
today's rule.
"""
