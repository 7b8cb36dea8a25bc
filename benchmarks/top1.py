#!/usr/bin/env python3
"""Top-1 accuracy of compiled classifiers on labelled samples.

  top1.py SAMPLES.npz MODEL.so...

SAMPLES.npz has one array named like the input, samples first, and "labels".
Prints each model's accuracy and how often it agrees with the first model.
"""
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import loaded


def main(samples, models):
    with np.load(samples) as file:
        data = {name: file[name] for name in file.files}
    labels, first = data.pop("labels"), None
    (name, images), = data.items()
    for path in models:
        run = loaded.Loaded(path)
        chosen = np.array([int(next(iter(run({name: x[None]}).values())).argmax())
                           for x in images])
        first = chosen if first is None else first
        print(f"{pathlib.Path(path).name:14} {100 * np.mean(chosen == labels):6.2f} % right, "
              f"{100 * np.mean(chosen == first):6.2f} % as {pathlib.Path(models[0]).name}, "
              f"of {len(labels)} samples")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
