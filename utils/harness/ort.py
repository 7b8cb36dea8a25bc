"""ONNX Runtime through its C ABI, by ctypes: no Python package and no header is needed.

OrtApi is a table of function pointers that only grows at its end, so that a
slot's number is a fact of the ABI. ORT_LIB names libonnxruntime.so.
"""
import ctypes as C
import glob
import os
import pathlib
import platform

import numpy as np

_API_VERSION = 17
_SLOTS = {
    "GetErrorMessage": 2, "CreateEnv": 3, "CreateSession": 7, "Run": 9,
    "CreateSessionOptions": 10, "SetSessionGraphOptimizationLevel": 23,
    "SetIntraOpNumThreads": 24, "SetInterOpNumThreads": 25,
    "SessionGetInputCount": 30, "SessionGetOutputCount": 31, "SessionGetInputName": 36,
    "SessionGetOutputName": 37, "CreateTensorWithDataAsOrtValue": 49,
    "GetTensorMutableData": 51, "GetTensorElementType": 60, "GetDimensionsCount": 61,
    "GetDimensions": 62, "GetTensorTypeAndShape": 65, "CreateCpuMemoryInfo": 69,
    "GetAllocatorWithDefaultOptions": 78, "ReleaseStatus": 93, "ReleaseSession": 95,
    "ReleaseValue": 96, "ReleaseTensorTypeAndShapeInfo": 99, "ReleaseSessionOptions": 100,
    "AddSessionConfigEntry": 130,
}
_POINTER_RESULT = {"GetErrorMessage": C.c_char_p}
_DTYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?",
           10: "f2", 11: "f8", 12: "u4", 13: "u8"}
_CODES = {np.dtype(v): k for k, v in _DTYPES.items()}
OPTIMIZE_NONE, OPTIMIZE_ALL = 0, 99


class OrtError(RuntimeError):
    pass


def find_library():
    """Path of libonnxruntime.so, or None."""
    if os.environ.get("ORT_LIB"):
        return os.environ["ORT_LIB"]
    root = pathlib.Path(__file__).resolve().parents[2]
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "none")
    found = glob.glob(str(root / "build/ort/node_modules/onnxruntime-node/bin/*/linux" /
                          arch / "libonnxruntime.so.1"))
    return found[0] if found else None


class _Api:
    def __init__(self):
        path = find_library()
        if not path:
            raise OrtError("no ONNX Runtime: run scripts/setup, or set ORT_LIB")
        base = C.CDLL(path).OrtGetApiBase
        base.restype = C.POINTER(C.c_void_p)
        table = base()
        get_api = C.CFUNCTYPE(C.POINTER(C.c_void_p), C.c_uint32)(table[0])
        self.version = C.CFUNCTYPE(C.c_char_p)(table[1])().decode()
        self._table = get_api(_API_VERSION)
        self._functions = {}
        self.env = C.c_void_p()
        self.call("CreateEnv", C.c_int(3), b"qcc", C.byref(self.env))
        self.memory = C.c_void_p()
        self.call("CreateCpuMemoryInfo", C.c_int(0), C.c_int(0), C.byref(self.memory))
        self.allocator = C.c_void_p()
        self.call("GetAllocatorWithDefaultOptions", C.byref(self.allocator))

    def raw(self, name, *args):
        key = (name, tuple(type(a) for a in args))
        function = self._functions.get(key)
        if function is None:
            types = [C.c_char_p if isinstance(a, bytes) else
                     C.c_void_p if type(a).__name__ == "CArgObject" else type(a) for a in args]
            result = _POINTER_RESULT.get(name, C.c_void_p)
            function = C.CFUNCTYPE(result, *types)(self._table[_SLOTS[name]])
            self._functions[key] = function
        return function(*args)

    def call(self, name, *args):
        status = self.raw(name, *args)
        if status:
            message = self.raw("GetErrorMessage", C.c_void_p(status)).decode()
            self.raw("ReleaseStatus", C.c_void_p(status))
            raise OrtError(f"{name}: {message}")


_api = None


def api():
    global _api
    if _api is None:
        _api = _Api()
    return _api


class Session:
    """A model loaded by ONNX Runtime: session(feeds) -> {output name: array}."""

    def __init__(self, path, optimize=OPTIMIZE_ALL, threads=1, config=None):
        a = self._a = api()
        options = C.c_void_p()
        a.call("CreateSessionOptions", C.byref(options))
        a.call("SetSessionGraphOptimizationLevel", options, C.c_int(optimize))
        a.call("SetIntraOpNumThreads", options, C.c_int(threads))
        a.call("SetInterOpNumThreads", options, C.c_int(1))
        for key, value in (config or {}).items():
            a.call("AddSessionConfigEntry", options, key.encode(), value.encode())
        self._session = C.c_void_p()
        try:
            a.call("CreateSession", a.env, os.fsencode(path), options, C.byref(self._session))
        finally:
            a.raw("ReleaseSessionOptions", options)
        self.inputs = self._names("Input")
        self.outputs = self._names("Output")

    def __del__(self):
        if getattr(self, "_session", None):
            self._a.raw("ReleaseSession", self._session)

    def _names(self, what):
        count = C.c_size_t()
        self._a.call(f"SessionGet{what}Count", self._session, C.byref(count))
        names = []
        for i in range(count.value):
            name = C.c_char_p()  # owned by the default allocator; a few bytes for the process
            self._a.call(f"SessionGet{what}Name", self._session, C.c_size_t(i),
                         self._a.allocator, C.byref(name))
            names.append(name.value)
        return names

    def bind(self, feeds):
        """A callable that runs once on `feeds`, for timing without conversions."""
        values, keep = [], []
        for name in self.inputs:
            x = np.ascontiguousarray(feeds[name.decode()])
            dims = (C.c_int64 * max(x.ndim, 1))(*x.shape)
            value = C.c_void_p()
            self._a.call("CreateTensorWithDataAsOrtValue", self._a.memory,
                         C.c_void_p(x.ctypes.data), C.c_size_t(x.nbytes),
                         C.cast(dims, C.c_void_p), C.c_size_t(x.ndim),
                         C.c_int(_CODES[x.dtype]), C.byref(value))
            values.append(value)
            keep.append(x)
        return _Bound(self, values, keep)

    def __call__(self, feeds):
        bound = self.bind(feeds)
        bound()
        return bound.results()


class _Bound:
    def __init__(self, session, values, keep):
        self._s, self._keep, self._values = session, keep, values
        self._in_names = (C.c_char_p * len(session.inputs))(*session.inputs)
        self._out_names = (C.c_char_p * len(session.outputs))(*session.outputs)
        self._in = (C.c_void_p * len(values))(*[v.value for v in values])
        self._out = (C.c_void_p * len(session.outputs))()
        self._args = (session._session, C.c_void_p(), C.cast(self._in_names, C.c_void_p),
                      C.cast(self._in, C.c_void_p), C.c_size_t(len(values)),
                      C.cast(self._out_names, C.c_void_p), C.c_size_t(len(session.outputs)),
                      C.cast(self._out, C.c_void_p))

    def __call__(self):
        self._release_outputs()
        self._s._a.call("Run", *self._args)

    def results(self):
        return {name.decode(): self._array(C.c_void_p(value))
                for name, value in zip(self._s.outputs, self._out)}

    def _array(self, value):
        a = self._s._a
        info, code, rank = C.c_void_p(), C.c_int(), C.c_size_t()
        a.call("GetTensorTypeAndShape", value, C.byref(info))
        a.call("GetTensorElementType", info, C.byref(code))
        a.call("GetDimensionsCount", info, C.byref(rank))
        dims = (C.c_int64 * max(rank.value, 1))()
        a.call("GetDimensions", info, C.cast(dims, C.c_void_p), rank)
        a.raw("ReleaseTensorTypeAndShapeInfo", info)
        data = C.c_void_p()
        a.call("GetTensorMutableData", value, C.byref(data))
        dtype, shape = np.dtype(_DTYPES[code.value]), list(dims[:rank.value])
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return np.frombuffer(C.string_at(data, size), dtype).reshape(shape)

    def _release_outputs(self):
        for i, value in enumerate(self._out):
            if value:
                self._s._a.raw("ReleaseValue", C.c_void_p(value))
                self._out[i] = None

    def __del__(self):
        self._release_outputs()
        for value in self._values:
            self._s._a.raw("ReleaseValue", value)
