"""qcc.preprocess: images to inputs, by the code that calibration uses."""
from __future__ import annotations

import ctypes as C
import os
from typing import Sequence

import numpy as np

from . import _library
from ._dtypes import code_of


def preprocess(image: str | os.PathLike[str] | np.ndarray, steps: str,
               shape: Sequence[int], dtype: np.dtype | type = np.float32) -> np.ndarray:
    """An image as an input of a model.

    image: path of a .png, .jpg or .npy file, or uint8 pixels [height, width] or
        [height, width, channels].
    steps: as the command line's -preprocess takes, e.g.
        "resize=256,crop=224,scale=1/255,mean=0.485/0.456/0.406,std=0.229/0.224/0.225".
    shape, dtype: of the input: float32, or uint8 for pixels as they are.
    """
    dims = (C.c_int64 * max(len(shape), 1))(*shape)
    result = np.empty(tuple(shape), dtype)
    spec = _library.InputSpec(b"", code_of(result.dtype), len(shape), dims)
    path, pixels = None, None
    if isinstance(image, (str, os.PathLike)):
        path = os.fsencode(image)
    else:
        image = np.ascontiguousarray(image)
        if image.dtype != np.uint8 or image.ndim not in (2, 3):
            raise TypeError(f"expected uint8 [height, width, channels], got {image.dtype} "
                            f"{list(image.shape)}")
        height, width, channels = (*image.shape, 1)[:3]
        pixels = C.byref(_library.Pixels(image.ctypes.data, height, width, channels))
    message = C.create_string_buffer(1024)
    status = _library.library().qccPreprocess(steps.encode(), path, pixels, C.byref(spec),
                                              result.ctypes.data, message, len(message))
    if status != _library.SUCCESS:
        raise ValueError(message.value.decode(errors="replace"))
    return result
