"""Write anew what the documentation shows of the registries.

python -m docs       the README's tables, the pictures of paddings, the tables of docs/padding.md
"""

from __future__ import annotations

from docs import padding_pictures, padding_table, readme_tables

if __name__ == "__main__":
    readme_tables.main()
    padding_pictures.main()
    padding_table.PAGE.write_text(padding_table.updated(padding_table.PAGE.read_text()))
