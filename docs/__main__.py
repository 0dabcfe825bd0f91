"""Writes anew what the documentation shows of the registries.

python -m docs       the README's tables, the pictures of paddings, the tables of docs/padding.md
"""

from __future__ import annotations

import argparse

from docs import padding_pictures, padding_table, readme_tables


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    argparse.ArgumentParser(
        "python -m docs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    readme_tables.main()
    padding_pictures.main()
    padding_table.PAGE.write_text(padding_table.updated(padding_table.PAGE.read_text()))


if __name__ == "__main__":
    main()
