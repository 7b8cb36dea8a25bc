#!/usr/bin/env python3
"""Perplexity of the story model of the assets: float and with weights in blocks.

  benchmarks/perplexity.py [--limit=N] [MODE...]

MODE is what -quantize= takes; default: a table of all forms. The stories are only
scored: no form needs data. They are of different lengths, but later tokens do not
change the scores of earlier ones, so each is filled up to the longest.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets, compiler, loaded

NAME, TOKENS = "stories260k_prefill_f32", 512
MODES = ["none", "dynamic", *(f"weight-only:{bits},block={block}{activations}"
                              for bits in ("int8", "int4") for block in (16, 32, 64)
                              for activations in (",activations=float", ""))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modes", nargs="*", metavar="MODE", default=MODES)
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    length = 0

    def measure(feeds):
        nonlocal length
        length = max(length, feeds["input_ids"].shape[1])
        return {"logits": np.zeros((1, feeds["input_ids"].shape[1], TOKENS))}

    assets.evaluate(NAME, measure, args.limit)
    with tempfile.TemporaryDirectory() as folder:
        for number, mode in enumerate(args.modes):
            out = pathlib.Path(folder) / f"{number}.so"  # a path is loaded once
            compiler.compile_model(assets.path(NAME), out, f"-quantize={mode}", f"-shape=input_ids:1x{length}")
            model = loaded.Loaded(out)

            def run(feeds):
                tokens = feeds["input_ids"]
                filled = np.zeros((1, length), tokens.dtype)
                filled[:, :tokens.shape[1]] = tokens
                return {"logits": model({"input_ids": filled})["logits"][:, :tokens.shape[1]]}

            score = assets.evaluate(NAME, run, args.limit)
            print(f"{mode:45} {out.stat().st_size / 1024:7.0f} KB   perplexity {score['perplexity']:.4f} "
                  f"of {score['n']} tokens", flush=True)


if __name__ == "__main__":
    main()
