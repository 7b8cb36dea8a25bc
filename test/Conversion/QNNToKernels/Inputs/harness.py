"""Runs qnn ops through the reference kernels and compares with NumPy.

A Module collects ops of one @main, compiles it with the plain lowering, loads
it and compares each output with what the test says it must be.
"""

import ctypes
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

NAMES = {
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
    np.dtype(np.float16): "f16",
    np.dtype(np.int8): "i8",
    np.dtype(np.uint8): "ui8",
    np.dtype(np.int16): "i16",
    np.dtype(np.uint16): "ui16",
    np.dtype(np.int32): "i32",
    np.dtype(np.uint32): "ui32",
    np.dtype(np.int64): "i64",
    np.dtype(np.uint64): "ui64",
    np.dtype(np.bool_): "i1",
}

PIPELINE = (
    "builtin.module(convert-qnn-to-kernels{FMA VECTOR},qcc-plan-arena,canonicalize,cse,"
    "func.func(qcc-expand-math{FMA}),convert-scf-to-cf,expand-strided-metadata,"
    "lower-affine,convert-vector-to-llvm,convert-math-to-llvm,"
    "finalize-memref-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},"
    "convert-arith-to-llvm,convert-cf-to-llvm,convert-index-to-llvm,"
    "reconcile-unrealized-casts,canonicalize)"
)


class Q:
    """Quantization parameters; `scale` may be a list (per axis)."""

    def __init__(self, dtype, scale, zero=0, axis=None):
        self.dtype = np.dtype(dtype)
        self.axis = axis
        self.scale = np.array(scale, np.float32)
        self.zero = np.array(zero, np.int64) + np.zeros(self.scale.shape, np.int64)
        info = np.iinfo(self.dtype)
        self.lo, self.hi = int(info.min), int(info.max)

    def element(self):
        storage = NAMES[self.dtype].replace("ui", "u")
        one = lambda s, z: f"{float(s)!r}:{int(z)}"
        if self.axis is None:
            return f"!quant.uniform<{storage}:f32, {one(self.scale, self.zero)}>"
        each = ",".join(one(s, z) for s, z in zip(self.scale, self.zero))
        return f"!quant.uniform<{storage}:f32:{self.axis}, {{{each}}}>"

    def _shaped(self, values, rank):
        if self.axis is None:
            return values
        shape = [1] * rank
        shape[self.axis] = -1
        return values.reshape(shape)

    def dequantize(self, q):
        zero = self._shaped(self.zero, q.ndim)
        return (q.astype(np.int64) - zero).astype(np.float32) * self._shaped(
            self.scale, q.ndim
        )

    def quantize(self, x):
        zero = self._shaped(self.zero, x.ndim)
        q = np.round(x.astype(np.float32) / self._shaped(self.scale, x.ndim))
        return self.clamp(q, zero)

    def clamp(self, scaled, zero=None):
        zero = self.zero if zero is None else zero
        scaled = np.where(np.isnan(scaled), -np.inf, scaled)
        q = np.clip(scaled, self.lo - zero, self.hi - zero) + zero
        return q.astype(self.dtype)


def type_of(array, q=None):
    dims = "".join(f"{d}x" for d in array.shape)
    return f"tensor<{dims}{q.element() if q else NAMES[array.dtype]}>"


class Module:
    def __init__(self, fma=True, vector_bytes=16):
        self.options = {"FMA": f"fma={fma}".lower(), "VECTOR": f"vector-bytes={vector_bytes}"}
        self.args, self.lines, self.outs, self.count = [], [], [], 0

    def _fresh(self):
        self.count += 1
        return f"%v{self.count}"

    def arg(self, array, q=None):
        """An input; returns (name, type)."""
        name = f"%arg{len(self.args)}"
        self.args.append((name, type_of(array, q), np.ascontiguousarray(array)))
        return name, self.args[-1][1]

    def const(self, array, q=None):
        name = self._fresh()
        plain = type_of(array)
        data = array.tolist()
        text = re.sub(r"\bTrue\b", "true", str(data)).replace("False", "false")
        if array.dtype.kind == "f":
            text = re.sub(r"(?<![\w.])(-?\d+(\.\d+)?(e[+-]?\d+)?)",
                          lambda m: f"{float(m[0]):.9e}", str(data))
        self.lines.append(
            f"{name} = qnn.constant dense<{text}> : {plain} as {type_of(array, q)}"
        )
        return name, type_of(array, q)

    def op(self, text, operands, result):
        """`text` has {0}, {1}.. for operands; returns (name, type)."""
        name = self._fresh()
        spelled = text.format(*[o[0] for o in operands])
        types = ", ".join(o[1] for o in operands)
        self.lines.append(f"{name} = qnn.{spelled} : ({types}) -> {result}")
        return name, result

    def expect(self, value, array, label, rtol=0.0, atol=0.0):
        """The output must equal `array`; exactly without tolerances."""
        self.outs.append((value, np.ascontiguousarray(array), label, rtol, atol))

    def check(self, text, operands, array, label=None, q=None, rtol=0.0, atol=0.0):
        value = self.op(text, operands, type_of(array, q))
        self.expect(value, array, label or text, rtol, atol)

    def source(self):
        args = ", ".join(f"{n}: {t}" for n, t, _ in self.args)
        names = ", ".join(v[0] for v, *_ in self.outs)
        types = ", ".join(v[1] for v, *_ in self.outs)
        body = "\n  ".join(self.lines)
        return (
            f"func.func @main({args}) -> ({types}) {{\n  {body}\n"
            f"  return {names} : {types}\n}}\n"
        )

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            return self._run(folder)

    def _run(self, folder):
        at = lambda name: os.path.join(folder, name)
        with open(at("m.mlir"), "w") as f:
            f.write(self.source())
        if os.environ.get("QCC_KEEP_SOURCE"):
            with open(os.environ["QCC_KEEP_SOURCE"], "w") as f:
                f.write(self.source())
        pipeline = PIPELINE
        for name, value in self.options.items():
            pipeline = pipeline.replace(name, value)
        call = lambda *args: subprocess.run(args, check=True)
        call(sys.argv[1] if len(sys.argv) > 1 else "qcc-opt", at("m.mlir"), "-pass-pipeline=" + pipeline, "-o", at("l.mlir"))
        with open(at("l.mlir")) as f:
            text = f.read()
        arena = int(re.search(r"qcc\.arena_bytes = (\d+)", text)[1])
        with open(at("l.mlir"), "w") as f:  # mlir-translate knows no qnn types
            f.write(re.sub(r" \{qcc\.(?:[^{}]|\{[^{}]*\})*\}(?=[,)])", "", text))
        call("mlir-translate", "--mlir-to-llvmir", at("l.mlir"), "-o", at("m.ll"))
        if os.environ.get("QCC_VECTORIZE"):
            call("opt", "-O3", "-mcpu=native", at("m.ll"), "-S", "-o", at("m.ll"))
        call("llc", "-O2", "-mcpu=native", "-relocation-model=pic", "-filetype=obj",
             at("m.ll"), "-o", at("m.o"))
        call("ld.lld", "-shared", "--no-undefined", at("m.o"), "-o", at("m.so"))
        library = ctypes.CDLL(at("m.so"))

        results = [np.full(e.shape, 77, e.dtype) for _, e, *_ in self.outs]
        memory = np.full(arena + 64, 0x5A, np.uint8)
        start = -memory.ctypes.data % 64
        pointers = [a.ctypes.data for _, _, a in self.args]
        pointers += [r.ctypes.data for r in results]
        pointers.append(memory.ctypes.data + start)
        library.main(*[ctypes.c_void_p(p) for p in pointers])

        failures = 0
        for (_, expected, label, rtol, atol), got in zip(self.outs, results):
            if rtol or atol:
                good = np.allclose(got, expected, rtol, atol, equal_nan=True)
            else:
                good = np.array_equal(got, expected, equal_nan=expected.dtype.kind == "f")
            if good:
                continue
            failures += 1
            wrong = ~np.isclose(got.astype(float), expected.astype(float), rtol, atol,
                                equal_nan=True)
            where = tuple(int(i[0]) for i in np.nonzero(wrong)) if wrong.any() else ()
            print(f"FAIL {label} {expected.shape}: {wrong.sum()} of {wrong.size} differ, "
                  f"at {where}: got {got[where]}, expected {expected[where]}")
        print(f"{len(self.outs) - failures} of {len(self.outs)} agree")
        return failures


def main(*modules):
    sys.exit(1 if sum(m.run() for m in modules) else 0)
