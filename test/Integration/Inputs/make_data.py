#!/usr/bin/env python3
"""Writes a .npz of seeded samples: make_data.py OUT.npz NAME=DIMS[:KIND]...

DIMS as in 4x3x8x8. KIND: normal (default), nan, inf, zero, int, mod6 (0 to 5).
"""
import sys

import numpy as np

rng = np.random.default_rng(3)
KINDS = {
    "normal": lambda shape: rng.normal(0, 1, shape).astype(np.float32),
    "nan": lambda shape: np.full(shape, np.nan, np.float32),
    "inf": lambda shape: np.full(shape, np.inf, np.float32),
    "zero": lambda shape: np.zeros(shape, np.float32),
    "mod6": lambda shape: (np.arange(np.prod(shape)) % 6).reshape(shape),
    "int": lambda shape: np.ones(shape, np.int64),
}
arrays = {}
for item in sys.argv[2:]:
    name, _, what = item.rpartition("=")
    dims, _, kind = what.partition(":")
    arrays[name] = KINDS[kind or "normal"]([int(d) for d in dims.split("x") if d])
np.savez(sys.argv[1], **arrays)
