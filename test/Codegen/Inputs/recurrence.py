"""Compares the recurrence kernels of each level with the reference kernels.

usage: recurrence.py PATH-OF-QCC-OPT f32|half|i8 SEED LEVEL... [-run "COMMAND OF THE RUNNER"]

A state that is rounded differently takes another course, so each level is
compared with the reference loops in its own arithmetic: all bytes must agree,
with any number of threads.
"""

import itertools
import os
import sys
import tempfile

import differential
import numpy as np

from case import Case, per_axis, quant, tensor

CASES = 14
THREADS = (1, 2, 3, 5)


def layer(generator, is_float):
    """A recurrent layer; its results follow each other in one line."""
    pick, case = generator.pick, Case()
    kind = pick.choice(["lstm", "lstm", "gru", "gru", "plain"])
    gates = {"lstm": 4, "gru": 3, "plain": 1}[kind]
    steps, rows = pick.choice([1, 2, 5]), pick.choice([1, 1, 2, 3, 4, 5, 8])
    # Threads share the steps of the largest ones.
    hidden = pick.choice([1, 3, 4, 7, 8, 16, 17, 20, 32, 33, 48, 70, 128, 261, 280])
    columns = gates * hidden
    case.inputs.append(([steps, rows, columns], "f32", generator.floats([steps, rows, columns])))
    if is_float:
        weights = generator.floats([columns, hidden]) / np.float32(hidden ** 0.5)
        if generator.half:
            case.constants.append(generator.narrowed(weights))
        else:
            case.constants.append(([columns, hidden], "f32", "f32", weights))
    else:
        plain, zero = pick.choice([("i8", 0), ("i8", 0), ("i8", 5), ("ui8", 128), ("ui8", 120)])
        stored = plain.replace("ui8", "u8")
        scales = [float(np.float32(0.02 * pick.random() + 1e-3)) for _ in range(columns)]
        element = per_axis(stored, 0, scales, zero) if pick.random() < 0.7 else quant(stored, 0.01, zero)
        case.constants.append(([columns, hidden], plain, element, generator.bytes([columns, hidden])))
    linear = kind == "gru" and pick.random() < 0.5
    segments, lstm = [1, 1], kind == "lstm"
    for wanted, shape in ((linear and pick.random() < 0.7, [hidden]),
                          (pick.random() < 0.5, [rows, hidden]),
                          (lstm and pick.random() < 0.5, [rows, hidden]),
                          (lstm and pick.random() < 0.3, [3 * hidden])):
        segments.append(int(wanted))
        if wanted:
            case.inputs.append((shape, "f32", generator.floats(shape)))
    segments.append(int(pick.random() < 0.3))
    if segments[-1]:
        case.inputs.append(([rows], "i32", generator.data.integers(0, steps + 1, [rows]).astype(np.int32)))
    gate = pick.choice([("sigmoid", 0, 0), ("sigmoid", 0, 0), ("hard_sigmoid", 0.2, 0.5)])
    tanh = pick.choice([("tanh", 0, 0), ("tanh", 0, 0), ("relu", 0, 0), ("leaky_relu", 0.1, 0)])
    functions = {"lstm": [gate, tanh, ("tanh", 0, 0)], "gru": [gate, ("tanh", 0, 0)], "plain": [tanh]}[kind]
    names = f"operandSegmentSizes = array<i32: {', '.join(map(str, segments))}>"
    names += f", kind = #qnn<recurrence_kind {kind}>, activations = [" + ", ".join(
        "#qnn.act<{}, {:.6f} : f32, {:.6f} : f32>".format(*one) for one in functions) + "]"
    if pick.random() < 0.3:
        names += ", clip = 1.5 : f32"
    for word, wanted in (("reverse", pick.random() < 0.4), ("coupled", lstm and pick.random() < 0.2),
                         ("linear_before_reset", linear)):
        names += f", {word}" if wanted else ""
    case.text = f'"qnn.recurrence"({{}}) {{{{{names}}}}}'
    case.results = [([steps, rows, hidden], "f32", "f32")] + [([rows, hidden], "f32", "f32")] * (1 + lstm)
    return case



def source(cases):
    """One module of all cases, and its inputs."""
    arguments, names, kinds, lines, feeds = [], [], [], [], {}
    for n, case in enumerate(cases):
        operands, types = [], []
        for i, (shape, element, data) in enumerate(case.inputs):
            name = f"x{n}_{i}"
            arguments.append(f'%{name}: {tensor(shape, element)} {{qnn.name = "{name}"}}')
            operands.append("%" + name)
            types.append(tensor(shape, element))
            feeds[name] = data
        (shape, plain, element, data), = case.constants
        lines.append(f'%c{n} = qnn.constant dense<"0x{data.tobytes().hex().upper()}"> : '
                     f"{tensor(shape, plain)} as {tensor(shape, element)}")
        operands.insert(1, f"%c{n}")
        types.insert(1, tensor(shape, element))
        made = [tensor(shape, element) for shape, _, element in case.results]
        own = [f"y{n}_{i}" for i in range(len(made))]
        lines.append(f"{', '.join('%' + name for name in own)} = {case.text.format(', '.join(operands))} : "
                     f"({', '.join(types)}) -> ({', '.join(made)})")
        names += own
        kinds += made
    results = ", ".join(f'{kind} {{qnn.name = "{name}"}}' for name, kind in zip(names, kinds))
    body = "\n  ".join(lines)
    return (f"func.func @main({', '.join(arguments)}) -> ({results}) {{\n  {body}\n"
            f"  return {', '.join('%' + name for name in names)} : {', '.join(kinds)}\n}}\n"), feeds


def main():
    arguments = sys.argv[2:]
    arm_command = ""
    if "-run" in arguments:
        at = arguments.index("-run")
        arm_command = arguments[at + 1]
        del arguments[at:at + 2]
    family, seed, levels = arguments[0], int(arguments[1]), arguments[2:]
    generator = differential.Generator(seed, half=family == "half")
    cases = [layer(generator, family != "i8") for _ in range(CASES)]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        text, feeds = source(cases)
        with open(os.path.join(folder, "m.mlir"), "w") as f:
            f.write(text)
        runner = differential.Runner(folder, feeds, tiles=False)
        for level in levels:
            runner.compile(level)
            with open(runner.at("k.mlir")) as f:
                shared = f.read().count("qcc.rounds")
            got = {threads: runner.execute(level, arm_command, f"-threads={threads}") for threads in THREADS}
            if got[1] is None:
                print(f"{level}: not on this machine")
                continue
            expected = runner.run(level, arm_command, reference=True)
            wrong = set()
            for n, case in enumerate(cases):
                for i, threads in itertools.product(range(len(case.results)), THREADS):
                    a, b = got[threads][f"y{n}_{i}"], expected[f"y{n}_{i}"]
                    if a.tobytes() != b.tobytes():
                        wrong.add(n)
                        print(f"FAIL {level}, {threads} threads: {case.text} {case.inputs[0][:2]} result {i}: "
                              f"{(a != b).sum()} of {a.size} differ, by up to {np.abs(a - b).max()}")
            print(f"{level}: {len(cases) - len(wrong)} of {len(cases)} agree, threads share {shared}")
            failures += len(wrong)
            if shared == 0:
                sys.exit("no layer is shared by threads")
    sys.exit(failures != 0)


main()
