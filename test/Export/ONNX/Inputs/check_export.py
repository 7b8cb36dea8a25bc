"""An exported QDQ model in ONNX Runtime against qcc's own code.

  check_export.py MODEL SCRATCH [--inputs=100] [--samples=16] [--runtime=all|none]

Both come from the same calibration. An output's unit is the scale of the
quantization that it ends in; one that stays float has as unit 1/255 of its range,
which is the scale that it would have. At most 0.1 % of the elements may differ by
more than one unit.
"""
import argparse
import pathlib

import numpy as np
import onnx
from harness import assets, compiler, loaded, ort, steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", help="of a model of the assets")
    parser.add_argument("scratch", type=pathlib.Path)
    parser.add_argument("--inputs", type=int, default=100)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--runtime", choices=("all", "none"), default="all")
    args = parser.parse_args()
    args.scratch.mkdir(parents=True, exist_ok=True)
    model, exported = assets.path(args.name), args.scratch / "model_q.onnx"
    feeds = assets.inputs(args.name, args.inputs)
    options = []
    if not assets.is_quantized(args.name):
        calib = assets.calibration_file(args.name, args.scratch / "calib.npz", args.samples)
        table = args.scratch / "ranges.yaml"
        table.unlink(missing_ok=True)
        options = [f"-calib={calib}", f"-calib-table={table}"]
    compiler.compile_model(model, exported, *options, feeds=feeds[0])
    onnx.checker.check_model(str(exported), full_check=True)
    kinds = [node.op_type for node in onnx.load(str(exported)).graph.node]
    artefact = args.scratch / "model.so"
    compiler.compile_model(model, artefact, *options, feeds=feeds[0])

    run = loaded.Loaded(artefact)
    level = ort.OPTIMIZE_ALL if args.runtime == "all" else ort.OPTIMIZE_NONE
    session = ort.Session(exported, level)
    pairs = [(session(x), run(x)) for x in feeds]
    print(f"{args.name}: {kinds.count('QuantizeLinear')} QuantizeLinear, "
          f"{kinds.count('DequantizeLinear')} DequantizeLinear, {len(feeds)} inputs")
    bad = False
    names = [output.name for output in run.outputs]
    for name, scale in zip(names, steps.output_steps(exported)):
        theirs, ours = (np.stack([p[i][name] for p in pairs]) for i in (0, 1))
        if ours.dtype.kind in "iu" and not scale:
            unit = 1
        else:
            unit = scale or float(np.ptp(theirs)) / 255 or 1.0
        total = steps.count(theirs.astype(np.float32), ours.astype(np.float32), unit)
        print(f"  {name}: {total}; {total.beyond_one:.4f} % beyond one unit of {unit:.3g}")
        bad |= total.beyond_one > 0.1
    return bad


if __name__ == "__main__":
    raise SystemExit(main())
