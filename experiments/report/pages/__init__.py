"""What a report shows: blocks of text and tables, pictures, Markdown, HTML and CSV."""
