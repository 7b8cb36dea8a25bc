"""Compile ONNX models to native code and run them.

    import qcc

    qcc.compile("model.onnx", "model.so", calibration=samples)
    model = qcc.Model("model.so")
    scores = model(image)

`compile` calls the compiler's library, libqcc.so; `Model` needs only the
compiled model. Neither needs anything but NumPy.
"""
from ._compile import CompileError, Diagnostic, compile, targets, version
from ._model import Model, ModelError, TensorInfo
from ._preprocess import preprocess

__all__ = ["CompileError", "Diagnostic", "Model", "ModelError", "TensorInfo",
           "compile", "preprocess", "targets", "version"]
