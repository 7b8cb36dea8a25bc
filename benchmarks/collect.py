"""The models of the latency benchmark, each as a float file and quantized forms of it.

A folder per model, as the performance kit (QCC_PERF) makes them: fp32.onnx,
FORM.onnx, inputs/N/NAME.npy. What is missing is made: the suite by the kit, from
seeded weights; a model of the assets by a link and its calibration samples,
quantized by the kit or, where that cannot, by qcc.
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets, compiler, ort

SUITE = ("resnet50", "mobilenet_v2", "efficientnet_b0", "yolov5s", "dscnn", "lstm", "bert_base",
         "vit_tiny", "convnext_tiny")
TRANSFORMERS = ("bert_base", "vit_tiny", "convnext_tiny")
RECURRENT = ("lstm", "mnist_lstm", "dtln", "silero", "g2p", "stories", "magika")
# Quantized relatives among the assets, next to what the kit makes.
RELATIVES = {"mobilenetv2_1.0_224_f32": "mobilenetv2_1.0_224_qdq_tflite",
             "resnet8_cifar10_f32": "resnet8_cifar10_qdq_tflite",
             "dscnn_kws_f32": "dscnn_kws_qdq_tflite",
             "vww_mobilenetv1_0.25_96_f32": "vww_mobilenetv1_0.25_96_qdq_tflite"}
SAMPLES = 4  # input sets of a model of the assets
# With it ONNX Runtime turns a quantized MatMul and its bias into a float Gemm.
FLOAT_GEMM = {"optimization.disable_specified_optimizers": "MatMulAddFusion"}


@dataclasses.dataclass
class Form:
    """A file of a model, and session entries that ONNX Runtime needs to do its best on it."""
    name: str
    path: pathlib.Path
    config: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Model:
    name: str
    float_form: Form
    quantized: list
    sets: list  # of feeds

    def ort_forms(self):
        """The quantized forms and variations that ONNX Runtime may choose from."""
        forms = list(self.quantized)
        if self.name in TRANSFORMERS:
            forms += [Form(f.name + "-nofuse", f.path, FLOAT_GEMM) for f in self.quantized
                      if f.name == "int8"]
        return forms


class Collection:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kit = pathlib.Path(os.environ.get("QCC_PERF") or assets.root().parent / "perf")
        self.tool = self.folder / "ort_bench"

    def names(self):
        return list(SUITE) + [n for n in assets.manifest() if not assets.is_quantized(n)]

    def get(self, name):
        if name in SUITE:
            self._make_suite(name)
        elif name in assets.manifest():
            self._make_asset(name)
        elif not (self.folder / name / "fp32.onnx").exists():
            raise SystemExit(f"{name}: neither in the suite ({', '.join(SUITE)}) nor a model of "
                             "the assets")
        base = self.folder / name
        forms = [Form(p.stem, p) for p in sorted(base.glob("*.onnx")) if p.stem != "fp32"]
        sets = [self._feeds(base / "fp32.onnx", p) for p in sorted((base / "inputs").iterdir())]
        return Model(name, Form("fp32", base / "fp32.onnx"), forms, sets)

    def _run(self, *command):
        if not self.tool.exists():
            subprocess.run(["clang++-22", "-O2", "-std=c++17", "-pthread",
                            self.kit / "ort_bench/ort_bench.cpp", "-ldl", "-o", self.tool],
                           check=True)
        library = ort.find_library()
        if not library:
            raise SystemExit("no ONNX Runtime: run scripts/setup, or set ORT_LIB")
        env = {**os.environ, "ORT_BENCH": str(self.tool), "ORT_LIB": library}
        subprocess.run([sys.executable, *map(str, command)], check=True, env=env,
                       stdout=subprocess.DEVNULL)

    def _quantize(self, base, form, *options):
        if (base / f"{form}.onnx").exists():
            return
        print(f"making {base.name}/{form}", file=sys.stderr, flush=True)
        part = base / f"{form}.part"
        try:
            self._run(self.kit / "quantize.py", *options, base / "fp32.onnx", part)
        except subprocess.CalledProcessError:
            print(f"{base.name}/{form}: the kit cannot make it", file=sys.stderr)
            return
        part.rename(base / f"{form}.onnx")

    def _export(self, base, form):
        """qcc's own quantized model, for those of an opset that the kit does not take."""
        if (base / f"{form}.onnx").exists():
            return
        sets = [self._feeds(base / "fp32.onnx", p) for p in sorted((base / "inputs").iterdir())]
        calibration, part = base / "calibration.npz", base / f"{form}.part.onnx"
        np.savez(calibration, **{k: np.concatenate([s[k] for s in sets]) for k in sets[0]})
        compiler.compile_model(base / "fp32.onnx", part, "-quantize=static",
                               f"-calib={calibration}", feeds=sets[0])
        part.rename(base / f"{form}.onnx")

    def _make_suite(self, name):
        base = self.folder / name
        if not (base / "fp32.onnx").exists():
            print(f"making {name}", file=sys.stderr, flush=True)
            self._run(self.kit / "make_models.py", "--out", self.folder, "--only", name)
        if name not in RECURRENT:
            self._quantize(base, "int8", "static", "--preset",
                           "matmul" if name in TRANSFORMERS else "cnn")
        if name in TRANSFORMERS:
            self._quantize(base, "int8full", "static", "--preset", "cnn")
        if name in TRANSFORMERS or name in RECURRENT:
            self._quantize(base, "dyn", "dynamic")

    def _make_asset(self, name):
        base = self.folder / name
        if not base.exists():
            # Whole or not at all: what exists is not made again.
            part = base.with_name(base.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            (part / "fp32.onnx").symlink_to(assets.path(name).resolve())
            stateful = name.startswith(RECURRENT)
            samples = ([feeds for feeds, _ in assets.stored_sets(name)] if stateful
                       else assets.inputs(name, SAMPLES))
            first = {k: v.shape for k, v in samples[0].items()}
            samples = [s for s in samples if {k: v.shape for k, v in s.items()} == first]
            for i, feeds in enumerate(samples):
                folder = part / "inputs" / str(i)
                folder.mkdir(parents=True)
                for key, value in feeds.items():
                    np.save(folder / f"{key}.npy", value)
            if name in RELATIVES:
                (part / "qdq.onnx").symlink_to(assets.path(RELATIVES[name]).resolve())
            part.rename(base)
        if name.startswith(RECURRENT):
            self._quantize(base, "dyn", "dynamic")
        else:
            count = len(list((base / "inputs").iterdir()))
            self._quantize(base, "int8", "static", "--calib", count)
            self._export(base, "int8")

    @staticmethod
    def _feeds(model, folder):
        graph = onnx.load(str(model), load_external_data=False).graph
        return {v.name: np.load(folder / f"{v.name}.npy") for v in graph.input
                if (folder / f"{v.name}.npy").exists()}
