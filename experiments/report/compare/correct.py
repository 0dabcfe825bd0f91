"""correct.csv: the test items that every run has right, by which intervals over new test images can
be computed when the predictions are gone.

A line for each run: its cell and seed, the number of its test set, and for every source of that set
the number of its items that are right, each in `bits` bits, written together in hexadecimal. Items
without common sources are sources of one item: a bit for each. The first lines, without cell and
seed, hold the number of items of each source, in the same way. Of a measure that is no number of
right items, such as a mean absolute error or the balanced accuracy, the sum over each source, or
the part that it has, is written as a float of 32 bits: `bits` is then "float32".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from experiments.report.compare.reading import Record
from experiments.report.compare.tested_items import Items

FLOATS = "float32"
Counts = np.ndarray[Any, np.dtype[np.int_]]


def rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The lines of the runs whose test items are known; empty if there are none."""
    sets: dict[int, dict[str, Any]] = {}
    runs = []
    for record in records:
        if (items := record.items) is None:
            continue
        bits = int(items.sizes.max()).bit_length()
        if items.key not in sets:
            sets[items.key] = {
                "cell": None,
                "seed": None,
                "test_set": len(sets),
                "sources": len(items.sizes),
                "bits": bits,
                "items": packed(items.sizes, bits),
            }
        own: dict[str, Any] = {"cell": record.cell, "seed": record.seed}
        if items.correct.dtype.kind == "f":
            own |= {"bits": FLOATS, "items": items.correct.astype(">f4").tobytes().hex()}
        else:
            own["items"] = packed(items.correct, bits)
        runs.append(sets[items.key] | own)
    return [*sets.values(), *runs]


def read(lines: Iterable[Mapping[str, str]], scale: float = 1.0) -> dict[tuple[str, int], Items]:
    """The test items of each (cell, seed); what was predicted is not known.

    Args:
        lines: of the file.
        scale: of a metric whose sums are floats, to its unit.

    Raises:
        KeyError, ValueError: the lines are not those of a correct.csv.
    """
    sizes: dict[int, Counts] = {}
    found = {}
    for line in lines:
        key = int(line["test_set"])
        if line["bits"] == FLOATS:
            sums = np.frombuffer(bytes.fromhex(line["items"]), ">f4").astype(float)
            if sums.shape != sizes[key].shape:
                raise ValueError(f"{len(sums)} sums of {len(sizes[key])} sources")
            found[line["cell"], int(line["seed"])] = Items(sums, sizes[key], key, scale=scale)
            continue
        counts = unpacked(line["items"], int(line["sources"]), int(line["bits"]))
        if not line["cell"]:
            sizes[key] = counts
        elif counts.shape != sizes[key].shape or (counts > sizes[key]).any():
            raise ValueError(f"more items are right than there are: {line['cell']}, {line['seed']}")
        else:
            found[line["cell"], int(line["seed"])] = Items(counts, sizes[key], key)
    return found


def packed(counts: Counts, bits: int) -> str:
    """Whole numbers, each in so many bits with the highest first, in hexadecimal.

    Example:
        >>> packed(np.array([5, 0, 12]), 4)
        '50c0'
    """
    places = np.arange(bits)[::-1]
    return np.packbits((counts[:, None] >> places & 1).astype(np.uint8)).tobytes().hex()


def unpacked(text: str, counts: int, bits: int) -> Counts:
    """The numbers that `packed` wrote."""
    content = np.frombuffer(bytes.fromhex(text), np.uint8)
    if len(content) != -(-counts * bits // 8):
        raise ValueError(f"{counts} numbers of {bits} bits are not in {2 * len(content)} digits")
    digits = np.unpackbits(content, count=counts * bits).reshape(counts, bits)
    return digits.astype(int) @ (1 << np.arange(bits)[::-1])
