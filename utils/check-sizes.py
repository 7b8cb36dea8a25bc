#!/usr/bin/env python3
"""Fails when a source file has more than 600 lines: one file, one subject."""
import pathlib
import sys

LIMIT = 600
TREES = ("include", "lib", "tools", "utils", "benchmarks", "scripts")
SUFFIXES = {".h", ".c", ".cpp", ".td", ".inc", ".py"}


def main(root):
    bad = 0
    for tree in TREES:
        for file in sorted((root / tree).rglob("*")):
            if file.suffix not in SUFFIXES or not file.is_file():
                continue
            lines = file.read_bytes().count(b"\n")
            if lines > LIMIT:
                print(f"{file.relative_to(root)}: {lines} lines, more than {LIMIT}")
                bad += 1
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
