"""Compiling with qcc and running artefacts with qcc-run."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np


class ToolError(RuntimeError):
    """A tool's exit status was not 0; the message is what it printed."""

    def __init__(self, status, text):
        super().__init__(text.strip() or f"exit status {status}")
        self.status = status


def tool(name):
    """The program: from QCC_BIN, PATH or a build folder of this checkout."""
    if os.environ.get("QCC_BIN"):
        return str(pathlib.Path(os.environ["QCC_BIN"]) / name)
    if shutil.which(name):
        return shutil.which(name)
    root = pathlib.Path(__file__).resolve().parents[2]
    for preset in ("release", "dev"):
        if (root / "build" / preset / "bin" / name).exists():
            return str(root / "build" / preset / "bin" / name)
    raise FileNotFoundError(f"{name}: not found; build it with scripts/build, or set QCC_BIN")


def call(command, timeout=600):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, text=True, errors="replace")
    if done.returncode:
        raise ToolError(done.returncode, done.stdout)
    return done.stdout


def shape_options(model, feeds):
    """-shape= for each graph input that has a symbolic dimension."""
    import onnx
    options = []
    for value in onnx.load(str(model), load_external_data=False).graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in feeds and any(d.dim_value <= 0 for d in dims):
            shape = "x".join(map(str, feeds[value.name].shape))
            options.append(f"-shape={value.name}:{shape}")
    return options


def compile_model(model, out, *options, feeds=None, timeout=600):
    shapes = shape_options(model, feeds) if feeds else []
    return call([tool("qcc"), model, "-o", out, *shapes, *options], timeout)


def _runner(target, env):
    """Command prefix and runner of a target: emulated where it is not the host's."""
    if target and target.startswith("arm64") and os.uname().machine != "aarch64":
        cpu = (env or {}).get("QCC_QEMU_CPU", "max")
        return ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", cpu, tool("qcc-run-arm64")]
    return [tool("qcc-run")]


class Artefact:
    """A compiled model: artefact(feeds) -> {output name: array}, through qcc-run."""

    def __init__(self, path, target=None, threads=1, env=None):
        self.path, self.threads = pathlib.Path(path), threads
        self._runner = _runner(target, env)
        self._env = {**os.environ, **(env or {})}

    def __call__(self, feeds, dump=None, timeout=600):
        with tempfile.TemporaryDirectory() as folder:
            command = [*self._runner, self.path, f"-o={folder}/out.npz",
                       f"-threads={self.threads}"]
            if feeds:
                np.savez(f"{folder}/in.npz", **feeds)
                command.append(f"-inputs={folder}/in.npz")
            if dump:
                command.append(f"-dump-tensors={dump}")
            done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, env=self._env, timeout=timeout,
                                  text=True, errors="replace")
            if done.returncode:
                raise ToolError(done.returncode, done.stdout)
            with np.load(f"{folder}/out.npz") as outputs:
                return {name: outputs[name] for name in outputs.files}

    def bench(self, runs, warmup=5):
        """{"min_ms", "median_ms", "p99_ms"} on seeded random inputs."""
        text = call([*self._runner, self.path, f"-bench={runs}", f"-warmup={warmup}",
                     f"-threads={self.threads}", "-json"])
        return json.loads(text[text.index("{"):])
