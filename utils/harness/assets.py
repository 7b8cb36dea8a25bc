"""The models and data of QCC_ASSETS (see its README.md and MANIFEST.tsv)."""
import csv
import functools
import importlib.util
import os
import pathlib

import numpy as np
import onnx

# Neither convolutional nor fully connected: recurrent, transformers, control flow.
_OTHERS = ("magika", "silero", "dtln", "g2p", "stories", "mnist_lstm")
# Their evaluation runs on what they gave before: recurrent ones, some in pairs.
_FED_BACK = ("silero", "dtln", "g2p")


def root():
    default = pathlib.Path(__file__).resolve().parents[3] / "shared" / "assets"
    return pathlib.Path(os.environ.get("QCC_ASSETS") or default)


@functools.lru_cache
def tools():
    """The asset tree's own module of readers and metrics."""
    spec = importlib.util.spec_from_file_location("qcc_assets", root() / "tools/qcc_assets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.lru_cache
def manifest():
    with open(root() / "MANIFEST.tsv", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}


def cnn_models():
    """Convolutional and fully connected models, float and quantized."""
    return [name for name in manifest() if not name.startswith(_OTHERS)]


def is_quantized(name):
    return manifest()[name]["kind"] != "fp32"


def path(name):
    return root() / "models" / name / "model.onnx"


def stored_sets(name):
    """[({input: array}, [output arrays in graph order])] stored with the model."""
    result = []
    for folder in sorted((root() / "models" / name).glob("test_data_set_*")):
        number = lambda p: int(p.stem.split("_")[1])
        inputs = dict(tools().read_tensor(p) for p in sorted(folder.glob("input_*.pb"), key=number))
        outputs = {number(p): tools().read_tensor(p)[1] for p in folder.glob("output_*.pb")}
        result.append((inputs, outputs))
    return result


def evaluate(name, run, limit=None):
    """The model's metric on its labelled data, by run(feeds) -> outputs; None without data."""
    return tools().evaluate(str(root()), name, run, limit)


def class_offset(name):
    """Index of label 0 in the output: some have a background class first."""
    return 1 if name.startswith("mobilenetv2_1.0_224") else 0


def labels(name):
    """Labels in the order in which `evaluate` goes through the samples; None if it has none."""
    data = root() / "data"
    if name.startswith(tuple(tools().IMAGENET)):
        scored = ~np.load(data / "imagenet_sample/is_calibration.npy")
        return np.load(data / "imagenet_sample/labels.npy")[scored]
    for part, folder in (("cifar10", "cifar10"), ("mnist", "mnist"), ("dscnn", "kws_mfcc"),
                         ("magika", "magika")):
        if part in name:
            return np.load(data / folder / "labels.npy")
    return None


def blank_outputs(name):
    """Zeros for each output of the model."""
    return {o.name: np.zeros([max(d.dim_value, 1) for d in o.type.tensor_type.shape.dim], np.float32)
            for o in onnx.load(str(path(name))).graph.output}


def calibration_file(name, out, samples=64):
    """Writes calibration samples (never those that are scored); returns what -calib= takes."""
    tools().save_calibration(str(out), tools().calibration(str(root()), name, samples))
    return out if pathlib.Path(out).exists() else str(out)[:-len(".npz")]


def _fed_back(name, collect):
    """`run` of an evaluation that feeds outputs back, maybe through other models."""
    from . import ort
    sessions = {}

    def session(model):
        if model not in sessions:
            sessions[model] = ort.Session(path(model))
        return sessions[model]

    class Models:
        def __call__(self, feeds):
            collect(feeds)
            return session(name)(feeds)

        def __getitem__(self, model):
            return self if model == name else session(model)

    return Models()


def inputs(name, count, seed=1):
    """`count` inputs of one shape: labelled data first, then seeded variations of the samples at hand."""
    class Enough(Exception):
        pass
    found = []

    def collect(feeds):
        if found and any(np.shape(v) != found[0][k].shape for k, v in feeds.items()):
            return blank
        found.append({k: np.array(v) for k, v in feeds.items()})
        if len(found) == count:
            raise Enough
        return blank

    blank = blank_outputs(name)
    try:
        if name.startswith(_FED_BACK):
            evaluate(name, _fed_back(name, collect))
        else:
            evaluate(name, collect, count)
    except Enough:
        return found
    for feeds, _ in stored_sets(name):
        if not found or all(feeds[k].shape == x.shape for k, x in found[0].items()):
            found.append(feeds)
    base, rng = list(found), np.random.default_rng(seed)
    while len(found) < count:
        a = base[rng.integers(len(base))]
        b = base[rng.integers(len(base))]
        mix, sample = rng.uniform(0.2, 0.8), {}
        for key, x in a.items():
            # Mirrored, blended and with noise, but inside the range of the originals.
            y = x[..., ::-1] if rng.integers(2) else x
            y = mix * y + (1 - mix) * b[key]
            y = y + rng.normal(0, 0.05 * (x.std() + 1e-6), x.shape)
            sample[key] = np.clip(y, x.min(), x.max()).astype(x.dtype)
        found.append(sample)
    return found[:count]
