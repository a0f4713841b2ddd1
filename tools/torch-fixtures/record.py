"""Regenerate fixtures: `python record.py [family…]`; without names, all of them."""

from __future__ import annotations

import importlib
import sys

# family -> module whose `record()` writes its files
FAMILIES = {
    "unary": "ops.elementwise_unary",
    "binary": "ops.elementwise_binary",
    "reductions": "ops.reductions",
    "linear-algebra": "ops.linear_algebra",
    "windows": "ops.windows",
    "shapes": "ops.shapes",
    "indexing": "ops.indexing",
    "creation": "ops.creation",
    "printing": "ops.printing",
    "nn": "nn",
    "optim": "optim",
    "schedulers": "schedulers",
}


def main(names: list[str]) -> None:
    unknown = [n for n in names if n not in FAMILIES]
    if unknown:
        sys.exit(f"unknown family {', '.join(unknown)}; there are {', '.join(FAMILIES)}")
    for name in names or FAMILIES:
        importlib.import_module(FAMILIES[name]).record()


if __name__ == "__main__":
    main(sys.argv[1:])
