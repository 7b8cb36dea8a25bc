#!/usr/bin/env python3
"""Rewrites a tuning file with random choices for every shape.

usage: choose_tiles.py FILE SEED
"""
import pathlib
import random
import re
import sys

path, pick = pathlib.Path(sys.argv[1]), random.Random(int(sys.argv[2]))
lines = []
for line in path.read_text().splitlines():
    if re.match(r"\s+(rows|vectors|panels_outer|gathers_windows|gain):", line):
        continue
    lines.append(line)
    shape = re.match(r"(\s+)- shape:", line)
    if not shape:
        continue
    indent = shape.group(1) + "  "
    lines.append(f"{indent}rows: {pick.randint(1, 14)}")
    if "depthwise" not in line:
        lines.append(f"{indent}vectors: {pick.randint(1, 4)}")
        lines.append(f"{indent}panels_outer: {pick.choice(['true', 'false'])}")
    if "matrix" in line:
        lines.append(f"{indent}gathers_windows: {pick.choice(['true', 'false'])}")
path.write_text("\n".join(lines) + "\n")
