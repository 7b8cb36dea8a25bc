"""Compares the emulation of AMX-BF16 with exact arithmetic.

usage: tdpbf16ps.py PATH-OF-QCC-OPT

A kernel multiplies tiles of several shapes, and rounds a vector. What it stores must
be what Intel's manual says of tdpbf16ps and vcvtneps2bf16: sums are rounded to float32
one after the other, in two chains, and numbers below 2^-126 are zero.
"""
import os
import subprocess
import sys
import tempfile
from fractions import Fraction

import numpy as np

SHAPES = [(16, 16, 16), (5, 7, 3), (1, 16, 9), (16, 1, 1)]  # rows, columns, pairs of depth
SMALLEST = Fraction(1, 2**126)


def module(rows, columns, pairs):
    config = [1] + [0] * 63
    for tile, (height, words) in enumerate([(rows, columns), (rows, pairs), (pairs, columns)]):
        config[16 + 2 * tile], config[48 + tile] = 4 * words, height
    types = "memref<1024xi8>, memref<1024xi8>, memref<1024xi8>, memref<16xf32>, memref<1024xi8>, memref<16xbf16>"
    names = ["a", "b", "c", "x", "y", "r"]
    typed = [f"%{name}: {kind}" for name, kind in zip(names, types.split(", "))]
    attributes = [f'qcc.name = "{name}", qcc.type = {kind.replace("memref", "tensor")}, '
                  f'{"qcc.output" if name in "yr" else "qcc.input"}' for name, kind in zip(names, types.split(", "))]
    pointers = "".join(f"""
    %{name}_at = memref.extract_aligned_pointer_as_index %{name} : memref<{size}xi8> -> index
    %{name}_number = arith.index_cast %{name}_at : index to i64
    %{name}_p = llvm.inttoptr %{name}_number : i64 to !llvm.ptr""" for name, size in
                       [("config", 64), ("a", 1024), ("b", 1024), ("c", 1024), ("y", 1024)])
    access = "(i8, !llvm.ptr, i64) -> ()"
    return f"""module attributes {{qcc.level = "amx", qcc.arena_bytes = 64 : i64}} {{
  func.func private @kernel({", ".join(typed)}, %begin: index, %end: index) attributes {{qcc.kernel}} {{
    %c0 = arith.constant 0 : index
    %shapes = arith.constant dense<{config}> : vector<64xi8>
    %config = memref.alloca() {{alignment = 64 : i64}} : memref<64xi8>
    vector.store %shapes, %config[%c0] : memref<64xi8>, vector<64xi8>{pointers}
    %pitch = llvm.mlir.constant(64 : i64) : i64
    %t0 = llvm.mlir.constant(0 : i8) : i8
    %t1 = llvm.mlir.constant(1 : i8) : i8
    %t2 = llvm.mlir.constant(2 : i8) : i8
    llvm.call_intrinsic "llvm.x86.ldtilecfg"(%config_p) : (!llvm.ptr) -> ()
    llvm.call_intrinsic "llvm.x86.tileloadd64"(%t0, %c_p, %pitch) : {access}
    llvm.call_intrinsic "llvm.x86.tileloadd64"(%t1, %a_p, %pitch) : {access}
    llvm.call_intrinsic "llvm.x86.tileloadd64"(%t2, %b_p, %pitch) : {access}
    llvm.call_intrinsic "llvm.x86.tdpbf16ps"(%t0, %t1, %t2) : (i8, i8, i8) -> ()
    llvm.call_intrinsic "llvm.x86.tilestored64"(%t0, %y_p, %pitch) : {access}
    llvm.call_intrinsic "llvm.x86.tilerelease"() : () -> ()
    %v = vector.load %x[%c0] : memref<16xf32>, vector<16xf32>
    %w = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtneps2bf16.512"(%v) : (vector<16xf32>) -> vector<16xbf16>
    vector.store %w, %r[%c0] : memref<16xbf16>, vector<16xbf16>
    return
  }}
  func.func @main({", ".join(f"{t} {{{a}}}" for t, a in zip(typed, attributes))}, %arena: memref<64xi8>) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    func.call @kernel({", ".join("%" + n for n in names)}, %c0, %c1) : ({types}, index, index) -> ()
    return
  }}
}}
"""


def rounded(value):
    """To float32, ties to even; below 2^-126 zero."""
    if value == 0:
        return Fraction(0)
    exponent = 0
    magnitude = abs(value)
    while magnitude >= 2:
        magnitude, exponent = magnitude / 2, exponent + 1
    while magnitude < 1:
        magnitude, exponent = magnitude * 2, exponent - 1
    step = Fraction(2) ** (exponent - 23)
    value = round(value / step) * step
    return value if abs(value) >= SMALLEST else Fraction(0)


def flushed(number):
    return Fraction(float(number)) if abs(float(number)) >= 2.0**-126 else Fraction(0)


def widen(words):
    return (words.astype(np.uint32) << 16).view(np.float32)


def multiply(a, b, c):
    """a: rows x 2 pairs, b: pairs x columns x 2, c: rows x columns, of float32."""
    result = np.zeros(c.shape, np.float32)
    for m in range(c.shape[0]):
        for n in range(c.shape[1]):
            chains = [Fraction(0), Fraction(0)]
            for k in range(b.shape[0]):
                for i in range(2):
                    chains[i] = rounded(chains[i] + flushed(a[m, 2 * k + i]) * flushed(b[k, n, i]))
            total = rounded(flushed(c[m, n]) + rounded(chains[0] + chains[1]))
            result[m, n] = float(total)
    return result


def to_bf16(x):
    bits = x.view(np.uint32).astype(np.uint64)
    nearest = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    nearest = np.where(bits & 0x7F800000 == 0, bits >> 16 & 0x8000, nearest)
    return np.where(np.isnan(x), bits >> 16 | 0x40, nearest).astype(np.uint16)


def main():
    tools = os.path.dirname(sys.argv[1])
    data = np.random.default_rng(1)
    bad = 0

    def bf16(shape):
        values = data.standard_normal(shape).astype(np.float32)
        values.flat[::5] *= np.float32(2.0**-66)  # products below 2^-126
        values.flat[::11] *= np.float32(2.0**-125)
        return (values.view(np.uint32) >> 16).astype(np.uint16)

    for rows, columns, pairs in SHAPES:
        a, b = bf16((rows, 2 * pairs)), bf16((pairs, columns, 2))
        c = data.standard_normal((rows, columns)).astype(np.float32)
        c.flat[::3] *= np.float32(2.0**-127)
        if rows == 1:  # tiny sums alone
            a[:], c[:] = np.uint16(0x0100), 0
        x = data.standard_normal(16).astype(np.float32)
        x[:12] = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x7F7FFFFF, 0x7F800000, 0xFF800001, 0x007FFFFF,
                           0x80400000, 0x00800000, 0x7F800001, 0x80000000, 0xBF817FFF], np.uint32).view(np.float32)
        feeds = {"x": x}
        for name, part in (("a", a), ("b", b.reshape(pairs, 2 * columns)), ("c", c)):
            tile = np.zeros((16, 64), np.int8)
            bytes_ = part.view(np.int8)
            tile[:bytes_.shape[0], :bytes_.shape[1]] = bytes_
            feeds[name] = tile.reshape(-1)
        with tempfile.TemporaryDirectory() as folder:
            at = lambda name: os.path.join(folder, name)
            with open(at("m.mlir"), "w") as f:
                f.write(module(rows, columns, pairs))
            np.savez(at("in.npz"), **feeds)
            for command in (["qcc-opt", at("m.mlir"), "-x86-emulate-tiles", "-o", at("e.mlir")],
                            ["qcc-emit", at("e.mlir"), "-o", at("e.so")],
                            ["qcc-run", at("e.so"), "-inputs=" + at("in.npz"), "-o=" + at("out.npz")]):
                subprocess.run([os.path.join(tools, command[0]), *command[1:]], check=True, stdout=subprocess.DEVNULL)
            out = dict(np.load(at("out.npz")))
        got = out["y"].view(np.float32).reshape(16, 16)[:rows, :columns]
        expected = multiply(widen(a), widen(b), c)
        wrong = (got != expected).sum() + (out["r"].view(np.uint32) >> 16 != to_bf16(x)).sum()
        print(f"{rows}x{pairs}x{columns}: {wrong} of {got.size + 16} differ, {(expected == 0).sum()} zeros")
        bad += wrong
    sys.exit(int(bad != 0))


if __name__ == "__main__":
    main()
