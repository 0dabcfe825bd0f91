"""The content of a report: blocks of text and tables, pictures, Markdown, HTML and CSV."""
