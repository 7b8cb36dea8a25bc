"""libqcc.so and the functions of include/qcc-c/qcc.h."""
from __future__ import annotations

import ctypes as C
import functools
import os
import pathlib

API_VERSION = 1
SUCCESS = 0


class InputSpec(C.Structure):
    _fields_ = [("name", C.c_char_p), ("dtype", C.c_int32), ("rank", C.c_int32),
                ("shape", C.POINTER(C.c_int64))]


class TensorView(C.Structure):
    _fields_ = [("name", C.c_char_p), ("dtype", C.c_int32), ("rank", C.c_int32),
                ("shape", C.POINTER(C.c_int64)), ("data", C.c_void_p)]


class Pixels(C.Structure):
    _fields_ = [("data", C.c_void_p), ("height", C.c_int64), ("width", C.c_int64),
                ("channels", C.c_int64)]


DiagnosticHandler = C.CFUNCTYPE(None, C.c_void_p, C.c_int, C.c_char_p, C.c_char_p)
ProgressHandler = C.CFUNCTYPE(None, C.c_void_p, C.c_char_p, C.c_uint64, C.c_uint64)
# Returns the address of a text or None.
SampleSource = C.CFUNCTYPE(C.c_void_p, C.c_void_p, C.c_uint64, C.POINTER(InputSpec),
                           C.c_uint32, C.POINTER(C.c_void_p))
Metric = C.CFUNCTYPE(C.c_void_p, C.c_void_p, C.c_uint64, C.POINTER(TensorView), C.c_uint32,
                     C.POINTER(C.c_double))

_FUNCTIONS = {  # name: (result, arguments)
    "qccApiVersion": (C.c_uint32, []),
    "qccVersion": (C.c_char_p, []),
    "qccTargets": (C.c_char_p, []),
    "qccCompilationCreate": (C.c_void_p, []),
    "qccCompilationDestroy": (None, [C.c_void_p]),
    "qccSetModelFile": (C.c_int, [C.c_void_p, C.c_char_p]),
    "qccSetModelBytes": (C.c_int, [C.c_void_p, C.c_char_p, C.c_size_t, C.c_char_p, C.c_char_p]),
    "qccSetOption": (C.c_int, [C.c_void_p, C.c_char_p, C.c_char_p]),
    "qccSetCalibration": (C.c_int, [C.c_void_p, C.c_uint64, SampleSource, C.c_void_p]),
    "qccSetVerification": (C.c_int, [C.c_void_p, C.c_uint64, SampleSource, C.c_void_p]),
    "qccSetMetric": (C.c_int, [C.c_void_p, Metric, C.c_void_p]),
    "qccSetDiagnosticHandler": (None, [C.c_void_p, DiagnosticHandler, C.c_void_p]),
    "qccSetProgressHandler": (None, [C.c_void_p, ProgressHandler, C.c_void_p]),
    "qccCompileToFile": (C.c_int, [C.c_void_p, C.c_char_p]),
    "qccCompileToBuffer": (C.c_int, [C.c_void_p, C.c_char_p, C.POINTER(C.c_void_p)]),
    "qccBufferData": (C.c_void_p, [C.c_void_p]),
    "qccBufferSize": (C.c_size_t, [C.c_void_p]),
    "qccBufferDestroy": (None, [C.c_void_p]),
    "qccPreprocess": (C.c_int, [C.c_char_p, C.c_char_p, C.POINTER(Pixels),
                                C.POINTER(InputSpec), C.c_void_p, C.c_char_p, C.c_size_t]),
    "qccLastError": (C.c_char_p, [C.c_void_p]),
}


def _candidates() -> list[str]:
    """$QCC_LIBRARY alone, or the package's own library, or the system's."""
    named = os.environ.get("QCC_LIBRARY")
    if named:
        return [named]
    own = pathlib.Path(__file__).with_name("libqcc.so")
    return ([str(own)] if own.exists() else []) + ["libqcc.so.1"]


@functools.lru_cache(maxsize=None)
def library() -> C.CDLL:
    """The compiler, loaded at first use."""
    problems = []
    for path in _candidates():
        try:
            lib = C.CDLL(path)
            break
        except OSError as error:
            problems.append(str(error))
    else:
        raise ImportError("qcc: the compiler's library cannot be loaded; install qcc or set "
                          "QCC_LIBRARY to libqcc.so (" + "; ".join(problems) + ")")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    if lib.qccApiVersion() != API_VERSION:
        raise ImportError(f"qcc: the library has interface version {lib.qccApiVersion()}, "
                          f"this package needs {API_VERSION}")
    return lib
