"""qcc.Model: a compiled model in this process, through qcc_runtime.h."""
from __future__ import annotations

import ctypes as C
import dataclasses
import os
import tempfile
from typing import Any, Callable, Mapping

import numpy as np

from ._dtypes import dtype_of, fit

_ABI_VERSION = 1


class _TensorInfo(C.Structure):
    _fields_ = [("name", C.c_char_p), ("dtype", C.c_int32), ("rank", C.c_int32),
                ("shape", C.POINTER(C.c_int64)), ("quant_count", C.c_int32),
                ("quant_axis", C.c_int32), ("scales", C.POINTER(C.c_float)),
                ("zero_points", C.POINTER(C.c_int32))]


class _LevelInfo(C.Structure):
    _fields_ = [("name", C.c_char_p), ("rank", C.c_uint32), ("num_steps", C.c_uint32),
                ("steps", C.c_void_p), ("arena_bytes", C.c_uint64), ("num_tensors", C.c_uint32),
                ("reserved", C.c_uint32), ("tensors", C.POINTER(_TensorInfo))]


class _ModelInfo(C.Structure):
    _fields_ = [("abi_version", C.c_uint32), ("struct_size", C.c_uint32),
                ("target", C.c_char_p), ("build_id", C.c_char_p),
                ("num_inputs", C.c_uint32), ("num_outputs", C.c_uint32),
                ("inputs", C.POINTER(_TensorInfo)), ("outputs", C.POINTER(_TensorInfo)),
                ("num_levels", C.c_uint32), ("arena_alignment", C.c_uint32),
                ("levels", C.POINTER(_LevelInfo)), ("arena_bytes", C.c_uint64),
                ("strided_arena_bytes", C.c_uint64)]


class _Tensor(C.Structure):
    _fields_ = [("data", C.c_void_p), ("dtype", C.c_int32), ("rank", C.c_int32),
                ("shape", C.POINTER(C.c_int64)), ("strides", C.c_void_p)]


class _Options(C.Structure):
    _fields_ = [("struct_size", C.c_uint32), ("threads", C.c_int32),
                ("parallel_for", C.c_void_p), ("parallel_context", C.c_void_p),
                ("arena", C.c_void_p), ("arena_bytes", C.c_uint64), ("isa", C.c_char_p)]


class _InstanceInfo(C.Structure):
    _fields_ = [("struct_size", C.c_uint32), ("level", C.c_uint32), ("threads", C.c_int32),
                ("strides", C.c_int32), ("arena", C.c_void_p), ("arena_bytes", C.c_uint64)]


_Tensors = C.POINTER(_Tensor)


class _Api(C.Structure):
    _fields_ = [("abi_version", C.c_uint32), ("struct_size", C.c_uint32),
                ("describe", C.CFUNCTYPE(C.POINTER(_ModelInfo))),
                ("create", C.CFUNCTYPE(C.c_int32, C.POINTER(_Options), C.POINTER(C.c_void_p))),
                ("inspect", C.CFUNCTYPE(C.c_int32, C.c_void_p, C.POINTER(_InstanceInfo))),
                ("output_shapes", C.CFUNCTYPE(C.c_int32, C.c_void_p, _Tensors, C.c_uint32,
                                              _Tensors, C.c_uint32)),
                ("run", C.CFUNCTYPE(C.c_int32, C.c_void_p, _Tensors, C.c_uint32,
                                    _Tensors, C.c_uint32)),
                ("profile", C.c_void_p),
                ("get_tensor", C.CFUNCTYPE(C.c_int32, C.c_void_p, C.c_uint32, _Tensors)),
                ("destroy", C.CFUNCTYPE(None, C.c_void_p)),
                ("last_error", C.CFUNCTYPE(C.c_char_p, C.c_void_p)),
                ("status_text", C.CFUNCTYPE(C.c_char_p, C.c_int32))]


class ModelError(RuntimeError):
    """An artefact cannot be loaded or run."""


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input, an output or an intermediate tensor of a model.

    Integers q of a quantized tensor stand for (q - zero_points) * scales, along
    `axis`, or one for all where that is None; scales is empty for others.
    """
    name: str
    dtype: np.dtype
    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int | None = None
    code: int = dataclasses.field(default=0, repr=False)

    def dequantize(self, array: np.ndarray) -> np.ndarray:
        """The real values that `array` stands for."""
        if not self.scales:
            return array
        scales, zeros = np.float32(self.scales), np.int32(self.zero_points)
        if self.axis is None:
            scales, zeros = scales[0], zeros[0]
        else:
            column = [-1 if i == self.axis else 1 for i in range(array.ndim)]
            scales, zeros = scales.reshape(column), zeros.reshape(column)
        return (array.astype(np.int32) - zeros).astype(np.float32) * scales


def _info(raw: _TensorInfo) -> TensorInfo:
    count = raw.quant_count
    return TensorInfo(raw.name.decode(), dtype_of(raw.dtype), tuple(raw.shape[:raw.rank]),
                      tuple(raw.scales[:count]), tuple(raw.zero_points[:count]),
                      raw.quant_axis if raw.quant_axis >= 0 else None, raw.dtype)


def _tensor(array: np.ndarray, code: int) -> _Tensor:
    shape = (C.c_int64 * max(array.ndim, 1))(*array.shape)
    return _Tensor(array.ctypes.data, code, array.ndim, shape, None)


def _load(artefact: str | os.PathLike[str] | bytes) -> C.CDLL:
    if not isinstance(artefact, (bytes, bytearray, memoryview)):
        return C.CDLL(os.path.abspath(artefact))
    # The loader needs a file; once it is mapped, the name can go.
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(artefact)
        file.flush()
        return C.CDLL(file.name)


class Model:
    """A compiled model, ready to run.

        model = qcc.Model("model.so")
        y = model(x)                     # an array, if there is one output
        outputs = model.run({"x": x})    # {output name: array}

    An object runs once at a time; make several for several threads.
    """

    def __init__(self, artefact: str | os.PathLike[str] | bytes, *, threads: int = 0,
                 isa: str | None = None, prefix: str = "qcc_"):
        """artefact: path of a .so, or its bytes.

        threads: 0 for as many as the process may use processors.
        isa: highest instruction set to use, as the variable QCC_ISA.
        """
        self._instance = C.c_void_p()
        try:
            self._library = _load(artefact)
            get_api = getattr(self._library, prefix + "get_api")
        except (OSError, AttributeError) as error:
            raise ModelError(f"no compiled model: {error}") from None
        get_api.restype = C.POINTER(_Api)
        self._api = get_api().contents
        if self._api.abi_version != _ABI_VERSION:
            raise ModelError(f"the model has interface version {self._api.abi_version}, this "
                             f"package needs {_ABI_VERSION}")
        info = self._api.describe().contents
        self.inputs = [_info(info.inputs[i]) for i in range(info.num_inputs)]
        self.outputs = [_info(info.outputs[i]) for i in range(info.num_outputs)]
        self.target: str = info.target.decode()
        self.build_id: str = info.build_id.decode()
        options = _Options(struct_size=C.sizeof(_Options), threads=threads,
                           isa=isa.encode() if isa else None)
        status = self._api.create(C.byref(options), C.byref(self._instance))
        if status:
            raise ModelError(self._api.status_text(status).decode())
        state = _InstanceInfo(struct_size=C.sizeof(_InstanceInfo))
        self._check(self._api.inspect(self._instance, C.byref(state)))
        level = info.levels[state.level]
        self.level: str = level.name.decode()
        self.threads: int = state.threads
        self._tensors = [_info(level.tensors[i]) for i in range(level.num_tensors)]

    def close(self) -> None:
        """Ends the threads and frees the memory; the model cannot run afterwards."""
        if getattr(self, "_instance", None):
            self._api.destroy(self._instance)
            self._instance = C.c_void_p()

    __del__ = close

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        def describe(tensors: list[TensorInfo]) -> str:
            return ", ".join(f"{t.name}: {t.dtype}{list(t.shape)}" for t in tensors)
        return (f"<qcc.Model ({describe(self.inputs)}) -> ({describe(self.outputs)}), "
                f"{self.target} {self.level}, {self.threads} threads>")

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Runs on arrays by position or name; returns an array, or a tuple of several."""
        results = tuple(self.run(*args, **named).values())
        return results[0] if len(results) == 1 else results

    def run(self, *args: Any, **named: Any) -> dict[str, np.ndarray]:
        """Runs on a dict, or on arrays by position or name; returns {output name: array}."""
        return self.bind(*args, **named)()

    def bind(self, *args: Any, **named: Any) -> Callable[[], dict[str, np.ndarray]]:
        """What runs on these arrays, without preparing them again, each time it is called.

        It reads the arrays that were given where they needed no conversion, and
        returns the same arrays each time, filled anew.
        """
        feeds = self._feeds(args, named)
        arrays = [fit(i.name, feeds[i.name], i.dtype, i.shape) for i in self.inputs]
        inputs = (_Tensor * max(len(arrays), 1))(
            *(_tensor(a, i.code) for a, i in zip(arrays, self.inputs)))
        results = {o.name: np.empty(o.shape, o.dtype) for o in self.outputs}
        outputs = (_Tensor * len(results))(
            *(_tensor(a, o.code) for a, o in zip(results.values(), self.outputs)))

        def run() -> dict[str, np.ndarray]:
            self._check(self._api.run(self._handle(), inputs, len(arrays), outputs, len(results)))
            self._last = (arrays, results)  # get_tensor may point into them
            return results
        return run

    def tensors(self) -> dict[str, np.ndarray]:
        """Copies of every tensor of the last run (of models compiled with keep_tensors)."""
        if not self._tensors:
            raise ModelError("the model was compiled without keep_tensors")
        copies = {}
        for index, info in enumerate(self._tensors):
            raw = _Tensor()
            self._check(self._api.get_tensor(self._handle(), index, C.byref(raw)))
            shape = tuple(raw.shape[:raw.rank])
            size = int(np.prod(shape, dtype=np.int64)) * info.dtype.itemsize
            copies[info.name] = np.frombuffer(C.string_at(raw.data, size),
                                              info.dtype).reshape(shape)
        return copies

    def _handle(self) -> C.c_void_p:
        if not self._instance:
            raise ModelError("the model is closed")
        return self._instance

    def _feeds(self, args: tuple[Any, ...], named: dict[str, Any]) -> Mapping[str, Any]:
        names = [i.name for i in self.inputs]
        if len(args) == 1 and isinstance(args[0], Mapping) and not named:
            feeds = dict(args[0])
        else:
            if len(args) > len(names):
                raise TypeError(f"{len(args)} arrays for the inputs {names}")
            feeds = dict(zip(names, args))
            for name, value in named.items():
                if name in feeds:
                    raise TypeError(f"input '{name}' is given twice")
                feeds[name] = value
        unknown = [n for n in feeds if n not in names]
        missing = [n for n in names if n not in feeds]
        if unknown or missing:
            what = f"no input '{unknown[0]}'" if unknown else f"input '{missing[0]}' is missing"
            raise TypeError(f"{what}; the inputs are {names}")
        return feeds

    def _check(self, status: int) -> None:
        if status:
            raise ModelError(self._api.last_error(self._instance).decode())
