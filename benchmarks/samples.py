#!/usr/bin/env python3
"""Writes the labelled samples of a classifier of the assets: samples.py MODEL OUT.npz"""
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets


def main(name, out):
    feeds, blank = [], assets.blank_outputs(name)

    def collect(sample):
        feeds.append({k: np.array(v) for k, v in sample.items()})
        return blank

    assets.evaluate(name, collect)
    arrays = {k: np.concatenate([f[k] for f in feeds]) for k in feeds[0]}
    np.savez(out, labels=assets.labels(name) + assets.class_offset(name), **arrays)
    print(f"{len(feeds)} samples in {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
