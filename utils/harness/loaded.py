"""A compiled model in this process, by ctypes over include/qcc/Runtime/qcc_runtime.h."""
import ctypes as C
import os

import numpy as np

_DTYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?",
           10: "f2", 11: "f8", 12: "u4", 13: "u8"}
_CODES = {np.dtype(v): k for k, v in _DTYPES.items()}
_ABI_VERSION = 1


class _TensorInfo(C.Structure):
    _fields_ = [("name", C.c_char_p), ("dtype", C.c_int32), ("rank", C.c_int32),
                ("shape", C.POINTER(C.c_int64)), ("quant_count", C.c_int32),
                ("quant_axis", C.c_int32), ("scales", C.POINTER(C.c_float)),
                ("zero_points", C.POINTER(C.c_int32))]


class _ModelInfo(C.Structure):  # its beginning
    _fields_ = [("abi_version", C.c_uint32), ("struct_size", C.c_uint32),
                ("target", C.c_char_p), ("build_id", C.c_char_p),
                ("num_inputs", C.c_uint32), ("num_outputs", C.c_uint32),
                ("inputs", C.POINTER(_TensorInfo)), ("outputs", C.POINTER(_TensorInfo))]


class _Tensor(C.Structure):
    _fields_ = [("data", C.c_void_p), ("dtype", C.c_int32), ("rank", C.c_int32),
                ("shape", C.POINTER(C.c_int64)), ("strides", C.c_void_p)]


class _Options(C.Structure):
    _fields_ = [("struct_size", C.c_uint32), ("threads", C.c_int32),
                ("parallel_for", C.c_void_p), ("parallel_context", C.c_void_p),
                ("arena", C.c_void_p), ("arena_bytes", C.c_uint64), ("isa", C.c_char_p)]


_Tensors = C.POINTER(_Tensor)


class _Api(C.Structure):
    _fields_ = [("abi_version", C.c_uint32), ("struct_size", C.c_uint32),
                ("describe", C.CFUNCTYPE(C.POINTER(_ModelInfo))),
                ("create", C.CFUNCTYPE(C.c_int32, C.POINTER(_Options), C.POINTER(C.c_void_p))),
                ("instance_info", C.c_void_p),
                ("output_shapes", C.CFUNCTYPE(C.c_int32, C.c_void_p, _Tensors, C.c_uint32,
                                              _Tensors, C.c_uint32)),
                ("run", C.CFUNCTYPE(C.c_int32, C.c_void_p, _Tensors, C.c_uint32,
                                    _Tensors, C.c_uint32)),
                ("profile", C.c_void_p), ("tensor", C.c_void_p),
                ("destroy", C.CFUNCTYPE(None, C.c_void_p)),
                ("last_error", C.CFUNCTYPE(C.c_char_p, C.c_void_p)),
                ("status_text", C.CFUNCTYPE(C.c_char_p, C.c_int32))]


def _describe_tensor(array):
    shape = (C.c_int64 * max(array.ndim, 1))(*array.shape)
    return _Tensor(array.ctypes.data, _CODES[array.dtype], array.ndim, shape, None)


class Loaded:
    """loaded(feeds) -> {output name: array}."""

    def __init__(self, path, threads=1, isa=None):
        self._library = C.CDLL(os.path.abspath(path))
        get_api = self._library.qcc_get_api
        get_api.restype = C.POINTER(_Api)
        self._api = get_api().contents
        if self._api.abi_version != _ABI_VERSION:
            raise RuntimeError(f"{path}: ABI version {self._api.abi_version}")
        info = self._api.describe().contents
        self.inputs = [info.inputs[i].name.decode() for i in range(info.num_inputs)]
        self.outputs = [info.outputs[i].name.decode() for i in range(info.num_outputs)]
        options = _Options(struct_size=C.sizeof(_Options), threads=threads,
                           isa=isa.encode() if isa else None)
        self._instance = C.c_void_p()
        status = self._api.create(C.byref(options), C.byref(self._instance))
        if status:
            raise RuntimeError(f"{path}: {self._api.status_text(status).decode()}")

    def __del__(self):
        if getattr(self, "_instance", None):
            self._api.destroy(self._instance)

    def _check(self, status):
        if status:
            raise RuntimeError(self._api.last_error(self._instance).decode())

    def bind(self, feeds):
        """A callable that runs once on `feeds`, for timing without conversions."""
        arrays = [np.ascontiguousarray(feeds[name]) for name in self.inputs]
        inputs = (_Tensor * len(arrays))(*map(_describe_tensor, arrays))
        outputs = (_Tensor * len(self.outputs))()
        self._check(self._api.output_shapes(self._instance, inputs, len(inputs),
                                            outputs, len(outputs)))
        results = [np.empty([t.shape[i] for i in range(t.rank)], _DTYPES[t.dtype])
                   for t in outputs]
        outputs = (_Tensor * len(results))(*map(_describe_tensor, results))

        def run():
            self._check(self._api.run(self._instance, inputs, len(inputs),
                                      outputs, len(outputs)))
        run.keep, run.results = arrays, lambda: dict(zip(self.outputs, results))
        return run

    def __call__(self, feeds):
        run = self.bind(feeds)
        run()
        return run.results()
