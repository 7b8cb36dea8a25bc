#!/usr/bin/env python3
"""Every body of an x86-64 artefact uses only instructions of its level.

  utils/check-isa.py OBJECT.o     (qcc MODEL.onnx -target=x86-64 -o OBJECT.o)

Disassembles the object and assembles each instruction again, for a processor
that has what the level may use and nothing else. What the assembler could
encode in two ways (VEX, EVEX) is told apart by its bytes.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

LLVM = pathlib.Path(os.environ.get("LLVM_ROOT", "/usr/lib/llvm-22")) / "bin"
# As GNU as spells it; LLVM's assembler takes any instruction.
BASELINE = "generic64+sse4.2+popcnt+cx16"
AVX2 = BASELINE + "+avx2+bmi+bmi2+f16c+fma+lzcnt+movbe"
AVX512 = AVX2 + "+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx512_vnni+avx512vbmi"
LEVELS = {"baseline": BASELINE, "avx2": AVX2, "avx_vnni": AVX2 + "+avx_vnni",
          "avx512_vnni": AVX512, "amx": AVX512 + "+amx_tile+amx_int8+amx_bf16+avx512_bf16"}
# Longest first: avx512_vnni_conv_0 is no kernel of a level avx512.
BODY = re.compile("^[0-9a-f]+ <(?:qcc_)?(" + "|".join(sorted(LEVELS, key=len, reverse=True)) +
                  r")_\w+(?:\.kernel)?>:$")
FUNCTION = re.compile(r"^[0-9a-f]+ <.*>:$")
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:((?: [0-9a-f]{2})+)\s+(\S.*)$")


def instructions(path):
    """{level: {instruction: (bytes, function)}}, one of each form."""
    text = subprocess.run([LLVM / "llvm-objdump", "-d", path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    found, level, functions = collections.defaultdict(dict), None, collections.Counter()
    for line in text.splitlines():
        if FUNCTION.match(line):
            body = BODY.match(line)
            level, name = body and body[1], line
            functions[level] += 1
            continue
        match = INSTRUCTION.match(line)
        if not match or not level:
            continue
        code = re.sub(r"\s*(<.*>|#.*)$", "", match[2]).strip()
        # One number is like another: few forms are left.
        form = re.sub(r"-?0x[0-9a-f]+(?=\()", "0x10", code)
        found[level].setdefault(form, (match[1].split(), name))
    return found, functions


def is_evex(code):
    prefixes = {"2e", "36", "3e", "26", "64", "65", "66", "67", "f0", "f2", "f3"}
    first = next(b for b in code if b not in prefixes)
    return first == "62"


def check(level, forms):
    """What the level has no right to."""
    bad = []
    for form, (code, name) in forms.items():
        if is_evex(code) and "avx512" not in LEVELS[level]:
            bad.append((form, name, "EVEX encoding"))
    order = list(forms)
    done = subprocess.run(["as", "--64", "-march=" + LEVELS[level], "-o", os.devnull],
                          input="\n".join(order) + "\n", stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    for line, reason in re.findall(r":(\d+): Error: (.*)", done.stderr):
        bad.append((order[int(line) - 1], forms[order[int(line) - 1]][1], reason))
    if done.returncode and not bad:
        sys.exit(done.stderr)
    return bad


def main(path):
    found, functions = instructions(path)
    failures = 0
    for level, forms in found.items():
        bad = check(level, forms)
        for form, name, reason in bad[:10]:
            print(f"{level}: {form} in {name} {reason}")
        print(f"{level}: {functions[level]} functions, {len(forms)} forms of instructions, {len(bad)} not its own")
        failures += len(bad)
    if not found:
        print("no kernel was found")
    return failures != 0 or not found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
