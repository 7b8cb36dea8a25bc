"""Compares the optimized kernels of each level with the reference kernels.

usage: differential.py PATH-OF-QCC-OPT FAMILY SEED LEVEL... [-run "COMMAND OF THE RUNNER"]

One module holds random cases of a family of ops, each with its own output. Both
lowerings run on the same random inputs; results of 8-bit and integer ops, and
those of weights in blocks, must have the same bytes; other float results must be
close to the reference and the same on all levels with fused multiply-add; where
they are quantized behind a float op, one step away on few elements is close.
Levels that this machine lacks are reported and left out. amx-emulated are the
kernels of level amx with its instructions replaced by loops. Families that end
in -tiles have shapes for which such a level takes its matrix unit. Families that
begin with half- have float weights of 16 bits. Families that begin with chosen-
are cut by random choices of tiles. Families that begin with winograd- have shapes
for which Winograd's method is taken. In families that begin with sum- an 8-bit
tensor is added to the results; in those that begin with part- they are one part of
a concatenation along the channels. In families rows-... depthwise convolutions
stand between 1x1 ones and are computed by blocks of rows. Families that end in i16 have activations of
16 bits and weights of 8 or 16; any family has results of 16 bits; but attention-i16 rounds floats
to 16 bits, which must cost no more than 60 dB. Families that
begin with volume- have three spatial dimensions, those that begin with transposed- are
transposed convolutions, those that begin with grouped- have many small groups, those that begin with long- windows of
many pixels of a line. Families that begin with bf16- have float weights of bf16; the reference kernels, on the first
level, round the activations as level amx does, which the others are compared with.
In pair-f32 a product with such weights reads what another kernel computes.
"""

import os
import random
import re
import subprocess
import sys
import tempfile

import numpy as np

from case import array, tensor
from kernel_cases import KernelCases

ARM = ("neon", "dotprod")
UNFUSED = ("baseline",)
CASES = 14


def close(a, b):
    """Whether floats, or the bytes that they were rounded to, are nearly the same."""
    if a.dtype.kind == "f":
        return np.allclose(a, b, 1e-5, 1e-4)
    if a.dtype.itemsize == 2:
        steps = a.astype(np.int32) - b
        return np.abs(steps).max(initial=0) <= 1 and (steps != 0).sum() <= max(1, 0.05 * a.size)
    steps = (a.view(np.uint8) - b.view(np.uint8)).view(np.int8)  # differences wrap around
    return np.abs(steps).max(initial=0) <= 1 and (steps != 0).sum() <= max(1, 0.01 * a.size)


def close_by_noise(a, b):
    """Whether what rounding of factors to 16 bits adds is 60 dB below the results."""
    return np.linalg.norm((a - b).ravel()) <= 1e-3 * np.linalg.norm(b.ravel())


def close_but_ties(a, b):
    """The same where sums are rounded to bf16 on the way, now and then to the other
    neighbour."""
    off = ~np.isclose(a, b, 1e-5, 1e-4)
    return off.mean() <= 0.2 and np.abs(a - b).max(initial=0) <= 0.1


class Generator(KernelCases):
    def case(self, family):
        is_float = family.endswith("f32")
        if family.startswith(("softmax", "normalize")):
            return self.rows(family.split("-")[0], is_float)
        if family.startswith("blocks"):
            return self.blocks(family == "blocks-float")
        if family == "dynamic-quantize":
            return self.dynamic()
        if family.startswith("attention"):
            return self.attention(is_float or family == "attention-i16")
        if family == "mean-i8":
            return self.mean()
        if family == "stream-i8":
            return self.stream()
        if family == "pixels":
            return self.pixels()
        if family == "pair-f32":
            return self.pair()
        if family == "chain-f32":
            return self.chain()
        if family.startswith("product"):
            return self.product(is_float)
        if family == "matmul-integer":
            return self.matmul_integer()
        if family.startswith("rows"):
            return self.row_chain(is_float)
        if family.startswith("depthwise"):
            return self.linear("conv", depthwise=True, is_float=is_float)
        return self.linear(family.split("-")[0], is_float=is_float)


def source(cases):
    arguments, results, returned, kinds, lines, feeds = [], [], [], [], [], {}

    def given(name, shape, element, data, permutation=None):
        """An argument, maybe transposed: value and type."""
        arguments.append(f'%{name}: {tensor(shape, element)} {{qnn.name = "{name}"}}')
        feeds[name] = np.asarray(data, np.float32) if element == "f32" else (
            data.view(np.int8) if "<i8" in element else data)
        if permutation is None:
            return "%" + name, tensor(shape, element)
        to = tensor([shape[d] for d in permutation], element)
        lines.append(f"%{name}_moved = qnn.transpose %{name} {{permutation = {array(permutation)}}} : "
                     f"({tensor(shape, element)}) -> {to}")
        return f"%{name}_moved", to

    for n, case in enumerate(cases):
        operands, types = [], []
        for i, operand in enumerate(case.inputs):
            value, of = given(f"x{n}_{i}", *operand)
            operands.append(value)
            types.append(of)
        for i, (shape, plain, element, data) in enumerate(case.constants):
            name = f"%c{n}_{i}"
            lines.append(f'{name} = qnn.constant dense<"0x{data.tobytes().hex().upper()}"> : '
                         f"{tensor(shape, plain)} as {tensor(shape, element)}")
            operands.insert(1 + i, name)
            types.insert(1 + i, tensor(shape, element))
        shape, _, element = case.result
        kind = tensor(shape, element)
        links = [(case.text, operands, types)]
        for i, (text, before, operand, first, constant, constants) in enumerate(case.tail):
            values, kinds_of = [f"%y{n}_{i}"], [tensor(before[0], before[2])]
            if operand:
                name = f"t{n}_{i}"
                if constant:
                    shape, element, data = operand
                    if data.ndim:
                        data = f'"0x{data.tobytes().hex().upper()}"'
                    value, of = "%" + name, tensor(shape, element)
                    lines.append(f"{value} = qnn.constant dense<{data}> : {of} as {of}")
                else:
                    value, of = given(name, *operand)
                values.insert(0 if first else 1, value)
                kinds_of.insert(0 if first else 1, of)
            for k, (shape, plain, element, data) in enumerate(constants):
                name = f"%d{n}_{i}_{k}"
                lines.append(f'{name} = qnn.constant dense<"0x{data.tobytes().hex().upper()}"> : '
                             f"{tensor(shape, plain)} as {tensor(shape, element)}")
                values.insert(1 + k, name)
                kinds_of.insert(1 + k, tensor(shape, element))
            links.append((text, values, kinds_of))
        for i, (text, values, kinds_of) in enumerate(links):
            at = case.tail[i][1] if i < len(case.tail) else case.result
            name = f"%y{n}_{i}" if i < len(case.tail) else f"%y{n}"
            to = tensor(at[0], at[2])
            if case.more and i == len(case.tail):
                name += f":{1 + len(case.more)}"
                to = f"({', '.join([to] + [tensor(*more) for more in case.more])})"
            lines.append(f"{name} = {text.format(', '.join(values))} : ({', '.join(kinds_of)}) -> {to}")
        for i, result in enumerate([kind] + [tensor(*more) for more in case.more]):
            results.append(f'{result} {{qnn.name = "{case.name(n, i)}"}}')
            returned.append(f"%y{n}#{i}" if case.more else f"%y{n}")
            kinds.append(result)
    body = "\n  ".join(lines)
    return (f"func.func @main({', '.join(arguments)}) -> ({', '.join(results)}) {{\n  {body}\n"
            f"  return {', '.join(returned)} : {', '.join(kinds)}\n}}\n"), feeds


def tool(name):
    """One of the tools beside qcc-opt."""
    return os.path.join(os.path.dirname(sys.argv[1]), name)


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(" ".join(command) + "\n" + done.stderr[-4000:])


class Runner:
    def __init__(self, folder, feeds, tiles=False, chosen=False, kind=None, sums=False, parts=False, bf16=False):
        """`kind`: which kernels at least half of the cases must take (a third of some)."""
        self.folder, self.tiles, self.chosen, self.kind = folder, tiles, chosen, kind
        self.sums, self.parts, self.bf16 = sums, parts, bf16
        np.savez(self.at("in.npz"), **feeds)

    def at(self, name):
        return os.path.join(self.folder, name)

    def choose(self, level):
        """Gives the module random choices for all of its shapes."""
        kernels, pick = self.at("k.mlir"), random.Random(level)
        call(tool("qcc-opt"), self.at("m.mlir"), "-o", kernels,
             f"-pass-pipeline=builtin.module(qcc-generate-kernels{{level={level}}})")
        with open(kernels) as f:
            shapes = sorted(set(re.findall(r'qcc.tile = {.*?shape = "([^"]*)"', f.read())))
        flag = lambda: pick.choice(["true", "false"])
        choices = ", ".join(
            f'"{shape}" = {{rows = {pick.randint(1, 14)} : i32, vectors = {pick.randint(1, 4)} : i32, '
            f"panels_outer = {flag()}, gathers_windows = {flag()}}}" for shape in shapes)
        if not shapes:
            sys.exit("no kernel says how it is cut")
        with open(self.at("m.mlir")) as f:
            text = f.read().split("\n", 1) if self.wrapped else ["", f.read()]
        self.wrapped = True
        with open(self.at("m.mlir"), "w") as f:
            body = text[1] if text[0] else text[1] + "}\n"
            f.write(f'module attributes {{qcc.tiles = {{"{level}" = {{{choices}}}}}}} {{\n{body}')

    wrapped = False  # the module has choices

    def run(self, level, arm_command, reference=False):
        """The outputs, or None where this machine lacks the level."""
        self.compile(level, reference)
        return self.execute(level, arm_command)

    def compile(self, level, reference=False):
        fma = str(level not in UNFUSED).lower()
        if self.chosen and not reference:
            self.choose(level)
        passes = f"convert-qnn-to-kernels{{fma={fma}}}" if reference else f"qcc-generate-kernels{{level={level}}}"
        if reference and self.bf16:
            passes = f"qcc-narrow-activations{{level=amx widen}},{passes}"
        if level == "amx-emulated":
            passes = "qcc-generate-kernels{level=amx},x86-emulate-tiles"
        kernels = self.at("k.mlir")
        call(tool("qcc-opt"), self.at("m.mlir"), "-o", kernels,
             f"-pass-pipeline=builtin.module({passes},qcc-plan-arena,func.func(qcc-expand-math{{fma={fma}}}))")
        if reference:
            with open(kernels) as f:
                text = f.read().replace('qcc.level = "reference"', f'qcc.level = "{level}"')
            with open(kernels, "w") as f:
                f.write(text)
        if self.tiles and level.startswith("amx"):
            with open(kernels) as f:
                used = len(re.findall(r"func.func private @\w+_tiles", f.read()))
            print(f"{level}: {used} of {CASES} kernels on tiles")
            if used < CASES // 3:
                sys.exit("too few kernels on tiles")
        if self.sums and not reference:
            with open(kernels) as f:
                if re.search(r"call @add_", f.read()):
                    sys.exit(f"{level}: an addition has a kernel of its own")
        if self.parts and not reference:
            with open(kernels) as f:
                text = f.read()
            copies = len(re.findall(r"call @concat_", text))
            # Of reference kernels, which transposed convolutions may have.
            if copies > CASES + len(re.findall(r"call @conv_transpose_", text)):
                sys.exit(f"{level}: results are copied")
        if self.kind and not reference:
            with open(kernels) as f:
                used = len(re.findall(f"func.func private @{self.kind}_", f.read()))
            if used < CASES // (3 if self.kind in ("conv_rows", "depthwise_i8") else 2):
                sys.exit(f"{level}: only {used} of {CASES} kernels are {self.kind}")
        call(tool("qcc-emit"), kernels, "-target=" + ("arm64" if level in ARM else "x86-64"), "-o",
             self.at("k.so"))

    def execute(self, level, arm_command, *options):
        """The outputs of what was compiled last."""
        out = self.at("out.npz")
        runner = arm_command.split() if level in ARM else [tool("qcc-run")]
        done = subprocess.run(runner + [self.at("k.so"), "-inputs=" + self.at("in.npz"), "-o=" + out, *options],
                              capture_output=True, text=True)
        if done.returncode:
            if "CPU" in done.stderr or "processor" in done.stderr:
                return None
            sys.exit(f"{level}: " + done.stdout + done.stderr)
        return dict(np.load(out))


def main():
    arguments = sys.argv[2:]
    arm_command = ""
    if "-run" in arguments:
        at = arguments.index("-run")
        arm_command = arguments[at + 1]
        del arguments[at:at + 2]
    family, seed, levels = arguments[0], int(arguments[1]), arguments[2:]
    tiles = family.endswith("-tiles")
    family = family.removesuffix("-tiles")
    prefixes = ("half-", "chosen-", "winograd-", "sum-", "part-", "bf16-", "volume-", "transposed-", "grouped-", "long-")
    flags = []
    for prefix in prefixes:
        flags.append(family.startswith(prefix))
        family = family.removeprefix(prefix)
    half, chosen, winograd, sums, parts, bf16, volume, transposed, grouped, long = flags
    words = family.endswith("i16") and family != "attention-i16"
    generator = Generator(seed, tiles, half, winograd, words=words, sums=sums, parts=parts,
                          bf16=bf16, volume=volume, transposed=transposed, grouped=grouped, long=long)
    cases = [generator.case(family) for _ in range(CASES)]
    failures = 0
    fused = None  # the results of the first level with fused multiply-add
    with tempfile.TemporaryDirectory() as folder:
        text, feeds = source(cases)
        with open(os.path.join(folder, "m.mlir"), "w") as f:
            attribute = ("qcc.row_block_bytes = 0 : i64" if family.startswith("rows") else
                         'qcc.attention = "int16"' if family == "attention-i16" else None)
            f.write(f"module attributes {{{attribute}}} {{\n{text}}}\n" if attribute else text)
        depthwise = family.replace("-", "_") if family.startswith("depthwise") else None
        kind = (depthwise if depthwise and (transposed or volume or family.endswith("i16")) else
                "conv_winograd" if winograd else "transposed_conv(?:_tiles)?" if transposed else
                "pack_i16" if family == "attention-i16" else
                "attention" if family.startswith("attention") else "conv_rows" if family.startswith("rows") else None)
        runner = Runner(folder, feeds, tiles, chosen, kind, sums, parts, bf16)
        expected = runner.run(levels[0], arm_command, reference=True)
        if expected is None:
            sys.exit(f"this machine lacks {levels[0]}")
        for level in levels[bf16:]:
            got = runner.run(level, arm_command)
            if got is None:
                print(f"{level}: not on this machine")
                continue
            if level not in UNFUSED:
                fused = fused or got
            wrong = 0
            for n, case in enumerate(cases):
                same = True
                for name in [case.name(n, i) for i in range(1 + len(case.more))]:
                    a, b = got[name], expected[name]
                    if family.endswith("f32") or family == "attention-i16":
                        same &= (close_but_ties if family == "pair-f32" else
                                 close_by_noise if family == "attention-i16" else close)(a, b)
                        same &= level in UNFUSED or a.tobytes() == fused[name].tobytes()
                    else:
                        same &= a.tobytes() == b.tobytes()
                if same:
                    continue
                wrong += 1
                print(f"FAIL {level}: {case.text} {case.inputs[0][:2]} -> {case.result}: "
                      f"{(a != b).sum()} of {a.size} differ")
            print(f"{level}: {len(cases) - wrong} of {len(cases)} agree")
            failures += wrong
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
