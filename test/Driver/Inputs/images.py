"""A small classifier, photographs of noise, and the same as the model's float inputs."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import qcc

folder = sys.argv[1]
rng = np.random.default_rng(1)
steps = "resize=16x16,scale=1/255,mean=0.5,std=0.25"
floats = []
for i in range(4):
    image = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
    np.save(f"{folder}/images/{i}.npy", image)
    floats.append(qcc.preprocess(image, steps, (3, 16, 16)))
np.savez(f"{folder}/calib.npz", x=np.stack(floats))
pixels = qcc.preprocess(image, "resize=16x16", (1, 16, 16, 3), np.uint8)
np.savez(f"{folder}/bytes.npz", x=pixels)
np.savez(f"{folder}/float.npz", x=floats[3][None])
w = rng.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32)
v = rng.normal(0, 0.3, (8, 5)).astype(np.float32)
graph = helper.make_graph(
    [helper.make_node("Conv", ["x", "w"], ["c"], name="Conv", pads=[1, 1, 1, 1]),
     helper.make_node("Relu", ["c"], ["r"]),
     helper.make_node("GlobalAveragePool", ["r"], ["g"]),
     helper.make_node("Flatten", ["g"], ["f"]), helper.make_node("MatMul", ["f", "v"], ["y"])],
    "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
    [numpy_helper.from_array(w, "w"), numpy_helper.from_array(v, "v")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
          f"{folder}/model.onnx")
