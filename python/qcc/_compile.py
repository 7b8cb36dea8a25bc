"""qcc.compile: a model to an artefact, through libqcc.so."""
from __future__ import annotations

import ctypes as C
import dataclasses
import os
import sys
import warnings
from typing import Any, Callable, Dict, Iterable, Mapping, Sequence, Union

import numpy as np

from . import _library
from ._dtypes import dtype_of, fit

Sample = Union[Mapping[str, Any], Sequence[Any], np.ndarray]
Samples = Union[Iterable[Sample], str, "os.PathLike[str]"]
Metric = Callable[[Dict[str, np.ndarray], int], float]
_SEVERITIES = ("error", "warning", "remark")


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """What the compiler said: severity is "error", "warning" or "remark"."""
    severity: str
    location: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.location else self.message


class CompileError(RuntimeError):
    """The model could not be compiled; `diagnostics` has all that was said."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic]):
        super().__init__(message)
        self.diagnostics = list(diagnostics)


def version() -> str:
    """Version of the compiler."""
    return _library.library().qccVersion().decode()


def targets() -> dict[str, str]:
    """What `target` may be, with an explanation."""
    lines = _library.library().qccTargets().decode().splitlines()
    return {name: text for name, text in (line.split(None, 1) for line in lines)}


class _ProgressBar:
    """Draws on standard error where that is a terminal."""

    def __call__(self, task: str, done: int, total: int) -> None:
        if not sys.stderr.isatty():
            return
        filled = 30 * done // total if total else 0
        end = "\r\033[K" if done >= total else ""
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r{task} [{bar}] {done}/{total}\033[K{end}", end="", file=sys.stderr, flush=True)


class _Callbacks:
    """The C callbacks of one compilation. Exceptions in them end it and are raised after it."""

    def __init__(self, samples: list[Sample], verification: list[Sample], metric: Metric | None,
                 progress: Callable[[str, int, int], None] | None):
        self.metric, self.progress = metric, progress
        self.diagnostics: list[Diagnostic] = []
        self.raised: BaseException | None = None
        self._alive: list[Any] = []  # what the library may still read
        self.on_diagnostic = _library.DiagnosticHandler(self._on_diagnostic)
        self.on_progress = _library.ProgressHandler(self._on_progress)
        self.on_sample = _library.SampleSource(self._source(samples))
        self.on_verification = _library.SampleSource(self._source(verification))
        self.on_metric = _library.Metric(self._on_metric)

    def _on_diagnostic(self, _: Any, severity: int, location: bytes, message: bytes) -> None:
        self.diagnostics.append(Diagnostic(_SEVERITIES[severity],
                                           location.decode(errors="replace"),
                                           message.decode(errors="replace")))

    def _on_progress(self, _: Any, task: bytes, done: int, total: int) -> None:
        try:
            if self.progress and not self.raised:
                self.progress(task.decode(), done, total)
        except BaseException as error:  # raised again by compile()
            self.raised = error

    def _failed(self, error: BaseException) -> int:
        """Keeps the exception, which compile() raises again; returns a text for the library."""
        self.raised = self.raised or error
        text = C.create_string_buffer(str(error).encode())
        self._alive = [text]
        return C.addressof(text)

    def _source(self, samples: list[Sample]) -> Callable[..., int | None]:
        def on_sample(_: Any, index: int, inputs: Any, count: int, data: Any) -> int | None:
            try:
                if self.raised:
                    raise self.raised
                arrays = _arrange(samples[index], [inputs[i] for i in range(count)])
                self._alive = arrays
                for i, array in enumerate(arrays):
                    data[i] = array.ctypes.data
                return None
            except BaseException as error:
                return self._failed(error)
        return on_sample

    def _on_metric(self, _: Any, index: int, outputs: Any, count: int, value: Any) -> int | None:
        try:
            if self.raised:
                raise self.raised
            assert self.metric is not None
            arrays = dict(_copy(outputs[i]) for i in range(count))
            value[0] = float(self.metric(arrays, index))
            return None
        except BaseException as error:
            return self._failed(error)


def _copy(view: _library.TensorView) -> tuple[str, np.ndarray]:
    shape, dtype = tuple(view.shape[:view.rank]), dtype_of(view.dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    array = np.frombuffer(bytearray(C.string_at(view.data, size)), dtype).reshape(shape)
    return view.name.decode(), array


def _arrange(sample: Sample, inputs: Sequence[_library.InputSpec]) -> list[np.ndarray]:
    """The arrays of a sample in the order of the inputs."""
    names = [spec.name.decode() for spec in inputs]
    if isinstance(sample, Mapping):
        missing = [n for n in names if n not in sample]
        if missing:
            raise KeyError(f"no array for input '{missing[0]}'; the sample has "
                           f"{sorted(sample)}")
        values = [sample[n] for n in names]
    elif isinstance(sample, (list, tuple)):
        values = list(sample)
    else:
        values = [sample]
    if len(values) != len(names):
        raise ValueError(f"{len(values)} arrays for the inputs {names}")
    return [fit(name, value, dtype_of(spec.dtype), tuple(spec.shape[:spec.rank]))
            for name, value, spec in zip(names, values, inputs)]


def _option_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _budget(metric: Metric | None, max_drop: float | str | None) -> dict[str, str]:
    """The options of a budget."""
    if isinstance(max_drop, str):
        if metric is not None:
            raise TypeError(f"max_drop='{max_drop}' names a metric of its own; with metric= it is "
                            "a number")
        return {"precision": "auto", "max_drop": max_drop}
    if (metric is None) != (max_drop is None):
        raise TypeError("metric and max_drop need each other, or max_drop a text such as 'kl:0.01'")
    if max_drop is None:
        return {}
    return {"precision": "auto", "max_drop": f"metric:{float(max_drop)!r}"}


def _samples(name: str, value: Samples | None, option: str,
             settings: dict[str, Any]) -> list[Sample]:
    """The samples as a list; those of a path are an option instead."""
    if value is None:
        return []
    if isinstance(value, (str, os.PathLike)):
        settings[option] = os.fspath(value)
        return []
    samples = list(value)
    if not samples:
        raise ValueError(f"{name}: there are no samples")
    return samples


def compile(model: str | os.PathLike[str] | bytes,
            output: str | os.PathLike[str] | None = None,
            *,
            target: str = "native",
            calibration: Samples | None = None,
            quantize: str = "auto",
            shapes: Mapping[str, Sequence[int]] | None = None,
            metric: Metric | None = None,
            max_drop: float | str | None = None,
            verification: Samples | None = None,
            progress: bool | Callable[[str, int, int], None] = False,
            kind: str = "so",
            **options: Any) -> bytes | None:
    """Compiles an ONNX model.

    model: path of the file, or its bytes.
    output: the file to write; its extension says what (.so .o .a .s .ll .mlir).
        Without it the result is returned as bytes, of the kind that `kind` says.
    target: what to compile for; see `targets()`.
    calibration: samples for static int8: an iterable of arrays (models with one
        input), of dicts from input names to arrays, or of tuples in the order of
        the inputs; or a path as the command line's -calib takes.
    quantize: "auto", "none", "static", "dynamic" or "weight-only" (see qcc -help).
    shapes: shapes of inputs whose dimensions the model leaves open.
    max_drop: how much worse than the float model the result may be; then the
        compiler searches for the precision of each layer. A text as the command
        line's -max-drop takes ("kl:0.01", "top1:1%"), or with `metric` a number.
    metric: called with the outputs, {name: array}, of the float model and of each
        one that the search tries, and the index of the sample that they are for:
        a position in `verification` or, without that, in `calibration`. Returns
        what they are worth, more is better. The mean over the samples may fall
        by `max_drop`, at 95 % confidence.
    verification: samples that the budget is verified on, as `calibration` takes;
        without them every second calibration sample is set aside for it.
    progress: True draws a bar on a terminal; a callable is called with
        (task, done, total).
    options: any other option of the command line, with underscores for dashes:
        prefix="net_", calib_method="mse", keep_tensors=True.

    Raises CompileError. Warnings of the compiler become Python warnings.
    """
    lib = _library.library()
    settings = {"target": target, "quantize": quantize, **_budget(metric, max_drop), **options}
    samples = _samples("calibration", calibration, "calib", settings)
    held_out = _samples("verification", verification, "verify", settings)
    callbacks = _Callbacks(samples, held_out, metric,
                           _ProgressBar() if progress is True else progress or None)

    handle = lib.qccCompilationCreate()
    if not handle:
        raise MemoryError
    try:
        def check(status: int) -> None:
            if callbacks.raised:
                raise callbacks.raised
            if status != _library.SUCCESS:
                raise CompileError(lib.qccLastError(handle).decode(errors="replace"),
                                   callbacks.diagnostics)

        lib.qccSetDiagnosticHandler(handle, callbacks.on_diagnostic, None)
        lib.qccSetProgressHandler(handle, callbacks.on_progress, None)
        if isinstance(model, (bytes, bytearray, memoryview)):
            data = bytes(model)
            check(lib.qccSetModelBytes(handle, data, len(data), b"model", None))
        else:
            check(lib.qccSetModelFile(handle, os.fsencode(model)))
        for name, value in settings.items():
            check(lib.qccSetOption(handle, name.replace("_", "-").encode(),
                                   _option_text(value).encode()))
        for name, shape in (shapes or {}).items():
            text = "x".join(map(str, shape)) or "scalar"
            check(lib.qccSetOption(handle, b"shape", f"{name}:{text}".encode()))
        if samples:
            check(lib.qccSetCalibration(handle, len(samples), callbacks.on_sample, None))
        if held_out:
            check(lib.qccSetVerification(handle, len(held_out), callbacks.on_verification, None))
        if metric is not None:
            check(lib.qccSetMetric(handle, callbacks.on_metric, None))
        result = None
        if output is not None:
            check(lib.qccCompileToFile(handle, os.fsencode(output)))
        else:
            buffer = C.c_void_p()
            check(lib.qccCompileToBuffer(handle, kind.encode(), C.byref(buffer)))
            result = C.string_at(lib.qccBufferData(buffer), lib.qccBufferSize(buffer))
            lib.qccBufferDestroy(buffer)
    finally:
        lib.qccCompilationDestroy(handle)
    for diagnostic in callbacks.diagnostics:
        if diagnostic.severity == "warning":
            warnings.warn(str(diagnostic), stacklevel=2)
    return result
