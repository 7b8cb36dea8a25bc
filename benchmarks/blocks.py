#!/usr/bin/env python3
"""Products with weights in blocks beside ONNX Runtime's, and beside float.

  benchmarks/blocks.py [--rows=1,128] [--shapes=4096x4096,4096x11008] [--bits=4] [--rounds=5]

A model of one MatMulNBits with seeded weights (accuracy levels 4 and 0, blocks of
32) and one of the same product in float, each in ONNX Runtime and in qcc, one
thread, each in a process of its own; they take turns. Times are the least and the
median of all runs, of the thread's own clock; "far": with 64 MB read in between, so that
the weights come from memory.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import compiler

BLOCK = 32


def save(path, rows, depth, columns, bits, level):
    """A MatMulNBits of this accuracy level; level None: the product in float."""
    rng = np.random.default_rng(1)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, depth])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, columns])
    if level is None:
        weights = rng.standard_normal((depth, columns), np.float32)
        constants = {"w": weights}
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
    else:
        blocks = depth // BLOCK
        constants = {
            "w": rng.integers(0, 256, (columns, blocks, BLOCK * bits // 8), np.uint8),
            "s": rng.random((columns, blocks), np.float32) * np.float32(0.01) + np.float32(0.005)}
        node = helper.make_node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=depth, N=columns,
                                bits=bits, block_size=BLOCK, accuracy_level=level)
    graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(v, n) for n, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17),
                                                    helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 8
    onnx.save(model, str(path))


class Worker:
    def __init__(self, runtime, path, feeds):
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(load=runtime, path=str(path), threads=1, config={}, feeds=str(feeds))
        self.times = {"hot": [], "far": []}

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            sys.exit(answer["error"])
        return answer

    def run(self, seconds):
        self.times["hot"] += self.ask(run=seconds)["cpu_ms"]
        self.times["far"] += self.ask(run=seconds, flush=64 << 20)["cpu_ms"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(rows, depth, columns, args, folder):
    feeds = folder / "x.npz"
    np.savez(feeds, x=np.random.default_rng(2).standard_normal((rows, depth), np.float32))
    workers = {}
    forms = [(f"int{args.bits} level 4", 4), (f"int{args.bits} level 0", 0), ("float", None)]
    for form, level in forms:
        path, artefact = folder / "m.onnx", folder / f"m{level}.so"
        save(path, rows, depth, columns, args.bits, level)
        compiler.compile_model(path, artefact, "-quantize=none")
        workers["ONNX Runtime", form] = Worker("ort", path, feeds)
        workers["qcc", form] = Worker("qcc", artefact, feeds)
    for _ in range(args.rounds):
        for worker in workers.values():
            worker.run(args.seconds)
    for worker in workers.values():
        worker.close()
    print(f"{rows} x {depth} x {columns}: ms, least (median)")
    for form, _ in forms:
        line = f"  {form:14}"
        for kind in ("hot", "far"):
            least = {}
            for runtime in ("ONNX Runtime", "qcc"):
                times = workers[runtime, form].times[kind]
                least[runtime] = min(times)
                line += f"  {kind} {runtime} {min(times):.3f} ({np.median(times):.3f})"
            line += f" = {least['ONNX Runtime'] / least['qcc']:.2f}x"
        print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1,128")
    parser.add_argument("--shapes", default="4096x4096,4096x11008", help="depth x columns")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rows in map(int, args.rows.split(",")):
            for shape in args.shapes.split(","):
                depth, columns = map(int, shape.split("x"))
                compare(rows, depth, columns, args, pathlib.Path(folder))


if __name__ == "__main__":
    main()
