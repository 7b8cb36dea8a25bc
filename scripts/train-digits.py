#!/usr/bin/env python3
"""Trains a small convolutional digit classifier in NumPy and exports it to ONNX.

  train-digits.py FOLDER [--epochs=25]

Data are scikit-learn's bundled 8x8 digits. Writes FOLDER/model.onnx,
calib.npz (samples for calibration, from the training part) and test.npz
(samples that were not trained on, with "labels").
"""
import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

CHANNELS, CLASSES, BATCH = 16, 10, 32


def columns(x):
    """[n, 8, 8] -> [n, 64, 9]: the 3x3 neighbourhood of each pixel."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    taps = [padded[:, i:i + 8, j:j + 8].reshape(len(x), 64) for i in range(3) for j in range(3)]
    return np.stack(taps, axis=-1)


def forward(p, x):
    cols = columns(x)
    maps = np.maximum(cols @ p["w"] + p["b"], 0)                          # [n, 64, c]
    blocks = maps.reshape(-1, 4, 2, 4, 2, CHANNELS).transpose(0, 1, 3, 5, 2, 4)
    blocks = blocks.reshape(-1, 4, 4, CHANNELS, 4)                        # 2x2 pooling windows
    which = blocks.argmax(-1)
    pooled = np.take_along_axis(blocks, which[..., None], -1)[..., 0]     # [n, 4, 4, c]
    flat = pooled.transpose(0, 3, 1, 2).reshape(len(x), -1)               # as ONNX flattens NCHW
    return cols, maps, which, flat, flat @ p["v"] + p["d"]


def gradients(p, x, y):
    cols, maps, which, flat, scores = forward(p, x)
    e = np.exp(scores - scores.max(1, keepdims=True))
    soft = e / e.sum(1, keepdims=True)
    soft[np.arange(len(y)), y] -= 1
    soft /= len(y)
    g = {"v": flat.T @ soft, "d": soft.sum(0)}
    back = (soft @ p["v"].T).reshape(-1, CHANNELS, 4, 4).transpose(0, 2, 3, 1)
    spread = np.zeros((*back.shape, 4))
    np.put_along_axis(spread, which[..., None], back[..., None], -1)
    spread = spread.reshape(-1, 4, 4, CHANNELS, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    spread = spread.reshape(maps.shape) * (maps > 0)
    g["w"] = np.einsum("npk,npc->kc", cols, spread)
    g["b"] = spread.sum((0, 1))
    return g


def train(x, y, epochs, rng):
    p = {"w": rng.normal(0, 0.3, (9, CHANNELS)), "b": np.zeros(CHANNELS),
         "v": rng.normal(0, 0.06, (CHANNELS * 16, CLASSES)), "d": np.zeros(CLASSES)}
    speed = {k: np.zeros_like(v) for k, v in p.items()}
    for epoch in range(epochs):
        rate = 0.1 * (1 - epoch / epochs)
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            for k, g in gradients(p, x[batch], y[batch]).items():
                speed[k] = 0.9 * speed[k] - rate * g
                p[k] += speed[k]
        if (epoch + 1) % 5 == 0:
            right = np.mean(forward(p, x)[-1].argmax(1) == y)
            print(f"epoch {epoch + 1} of {epochs}: {100 * right:.1f} % of the training digits",
                  flush=True)
    return {k: v.astype(np.float32) for k, v in p.items()}


def export(p, path):
    kernel = np.ascontiguousarray(p["w"].T.reshape(CHANNELS, 1, 3, 3))
    constants = [numpy_helper.from_array(a, n) for n, a in
                 (("kernel", kernel), ("bias", p["b"]), ("weight", p["v"]), ("offset", p["d"]))]
    node = lambda kind, *args, **kw: helper.make_node(kind, *args, name=kind.lower(), **kw)
    nodes = [node("Conv", ["image", "kernel", "bias"], ["c"], pads=[1, 1, 1, 1]),
             node("Relu", ["c"], ["r"]),
             node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
             node("Flatten", ["m"], ["f"]),
             node("Gemm", ["f", "weight", "offset"], ["scores"])]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "digits", [value("image", [1, 1, 8, 8])],
                              [value("scores", [1, CLASSES])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)],
                                ir_version=8), str(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=25)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    digits, rng = load_digits(), np.random.default_rng(0)
    order = rng.permutation(len(digits.target))
    x, y = digits.images[order] / 16, digits.target[order]
    held = 400
    p = train(x[held:], y[held:], args.epochs, rng)
    export(p, args.folder / "model.onnx")
    images = x[:, None, None].astype(np.float32)  # samples of [1, 1, 8, 8]
    np.savez(args.folder / "calib.npz", image=images[held:held + 64, 0])
    np.savez(args.folder / "test.npz", image=images[:held, 0], labels=y[:held])
    right = np.mean(forward(p, x[:held])[-1].argmax(1) == y[:held])
    print(f"{100 * right:.2f} % of {held} digits that it has not seen")


if __name__ == "__main__":
    main()
