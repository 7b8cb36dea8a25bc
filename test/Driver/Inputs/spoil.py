"""Halves the weights of the last layer of a model."""
import sys

import onnx
from onnx import numpy_helper

model = onnx.load(sys.argv[1])
weights = next(t for t in model.graph.initializer if t.name == "weight")
weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) / 2, "weight"))
onnx.save(model, sys.argv[2])
