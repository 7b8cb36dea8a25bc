"""Element types: NumPy's for the codes of ONNX's TensorProto.DataType."""
from __future__ import annotations

import numpy as np

# NumPy has no bfloat16: its elements are handed over as their 16 bits.
_BY_CODE = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?",
            10: "f2", 11: "f8", 12: "u4", 13: "u8", 16: "u2"}


def dtype_of(code: int) -> np.dtype:
    if code not in _BY_CODE:
        raise TypeError(f"element type {code} has no NumPy type")
    return np.dtype(_BY_CODE[code])


def fit(name: str, value: object, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as a C-contiguous array of exactly this type and shape.

    Converts where nothing is lost in kind (float64 to float32, Python numbers),
    and adds or drops a leading 1; anything else is an error.
    """
    array = np.asarray(value)
    if array.dtype != dtype:
        # Floats of any width are one kind; integers must fit in value.
        floats = array.dtype.kind == "f" and dtype.kind == "f"
        if not floats and not np.can_cast(array.dtype, dtype, "safe"):
            fits = array.dtype.kind in "iu" and dtype.kind in "iu" and array.size
            if not fits or not np.array_equal(array.astype(dtype), array):
                raise TypeError(f"input '{name}': expected {dtype}, got {array.dtype}")
        array = array.astype(dtype)
    if array.shape != shape and (1, *array.shape) == shape:
        array = array[np.newaxis]
    if array.shape != shape:
        raise ValueError(f"input '{name}': expected shape {shape}, got {array.shape}")
    return np.ascontiguousarray(array).reshape(shape)


def code_of(dtype: np.dtype) -> int:
    for code, name in _BY_CODE.items():
        if np.dtype(name) == dtype:
            return code
    raise TypeError(f"no model has inputs of {dtype}")
