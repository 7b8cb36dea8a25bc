"""What the package promises, in an environment where it is installed."""
import sys
import threading
import warnings

import numpy as np

import qcc


def raises(kind, text, function, *args, **named):
    try:
        function(*args, **named)
    except kind as error:
        assert text in str(error), str(error)
        return error
    raise AssertionError(f"no {kind.__name__} with '{text}'")


folder = sys.argv[1]
model = f"{folder}/model.onnx"  # x [1, 3, 224, 224] -> y [1, 1000]
data = open(model, "rb").read()
rng = np.random.default_rng(0)
samples = [rng.normal(0, 1, (1, 3, 224, 224)).astype(np.float32) for _ in range(8)]

assert qcc.version().startswith("qcc ") and "arm64" in qcc.targets()

# From a path to a file, and from bytes to bytes.
assert qcc.compile(model, f"{folder}/float.so", quantize="none") is None
assert qcc.compile(data, quantize="none") == open(f"{folder}/float.so", "rb").read()
assert b"quant.uniform" in qcc.compile(data, kind="mlir", calibration=samples)

float_model = qcc.Model(f"{folder}/float.so", threads=1)
assert [(i.name, i.dtype, i.shape) for i in float_model.inputs] == \
    [("x", np.float32, (1, 3, 224, 224))]
assert float_model.threads == 1 and "y: float32[1, 1000]" in repr(float_model)
y = float_model(samples[0])
assert y.shape == (1, 1000) and y.dtype == np.float32
for again in (float_model(x=samples[0]), float_model.run({"x": samples[0]})["y"],
              float_model(samples[0].astype(np.float64)), float_model(samples[0][0]),
              float_model(np.asfortranarray(samples[0]))):
    assert np.array_equal(y, again)

# Samples by name and by position, progress, options; results close to float.
steps, more = [], [*samples, *(-s for s in samples[:4])]
int8 = qcc.compile(model, calibration=[{"x": s} for s in more], keep_tensors=True,
                   calib_method="minmax", progress=lambda *step: steps.append(step))
assert steps == [(phase, i + 1, 12) for phase in ("calibrating", "correcting biases")
                 for i in range(12)], steps
with qcc.Model(int8) as int8_model:
    assert np.abs(int8_model(samples[0]) - y).max() < 0.05 * np.abs(y).max()
    tensors = int8_model.tensors()
    assert any(t.dtype == np.uint8 for t in tensors.values()), tensors.keys()
raises(qcc.ModelError, "closed", int8_model, samples[0])
assert qcc.compile(model, calibration=[(s,) for s in more], calib_method="minmax",
                   keep_tensors=True) == int8
assert b"arm64" in qcc.compile(model, target="arm64", quantize="none")

# A search for precisions, in a metric of the caller's: what it is given, and that it counts.
seen = []
def closeness(outputs, index):
    seen.append(index)
    wanted = float_model(samples[index])
    assert list(outputs) == ["y"] and outputs["y"].dtype == np.float32
    return -np.abs(outputs["y"] - wanted).max() / np.abs(wanted).max()
steps.clear()
good = qcc.compile(model, calibration=samples, metric=closeness, max_drop=0.05,
                   progress=lambda *step: steps.append(step))
assert set(seen) == {1, 3, 5, 7}, seen  # every second sample was held out
assert {s[0] for s in steps} >= {"measuring layers", "verifying the budget"}, steps
with qcc.Model(good) as chosen:
    assert np.abs(chosen(samples[0]) - y).max() < 0.06 * np.abs(y).max()
    run = chosen.bind(samples[0])
    assert np.array_equal(run()["y"], chosen(samples[0]))
# Nothing may be lost: all stays float.
exact = qcc.compile(model, calibration=samples, metric=closeness, max_drop=0,
                    verification=samples[:3])
assert np.array_equal(qcc.Model(exact)(samples[0]), y)
assert qcc.compile(model, calibration=samples, max_drop="sqnr:10", verification=samples)
# The float model alone shows that a budget says nothing: no layer is measured for that.
steps.clear()
raises(qcc.CompileError, "nearly any model would hold it", qcc.compile, model,
       calibration=samples, max_drop="kl:50", progress=lambda *step: steps.append(step))
assert {s[0] for s in steps} == {"calibrating", "running the float model"}, steps
# Right or wrong: three samples cannot confirm one per cent.
raises(qcc.CompileError, "3 held-out samples can confirm no drop below 0.6316", qcc.compile, model,
       calibration=samples, verification=samples[:3], max_drop=0.01,
       metric=lambda outputs, index: index == 0)
raises(ZeroDivisionError, "division", qcc.compile, model, calibration=samples, max_drop=0.1,
       metric=lambda outputs, index: 1 / 0)
raises(qcc.CompileError, "the metric of sample 1 is no finite number", qcc.compile, model,
       calibration=samples, max_drop=0.1, metric=lambda outputs, index: float("nan"))
raises(ValueError, "verification: there are no samples", qcc.compile, model,
       calibration=samples, max_drop="kl:1", verification=[])

# Compiling on several threads.
results = [None, None]
def job(i):
    results[i] = qcc.compile(data, quantize="none")
threads = [threading.Thread(target=job, args=(i,)) for i in range(2)]
for t in threads: t.start()
for t in threads: t.join()
assert results[0] == results[1] == open(f"{folder}/float.so", "rb").read()

# Errors say what was expected, and callbacks' exceptions come back as they are.
error = raises(qcc.CompileError, "none.onnx: cannot read", qcc.compile, f"{folder}/none.onnx")
assert error.diagnostics[0].severity == "error"
raises(qcc.CompileError, "no option 'colour'", qcc.compile, model, colour="red")
raises(TypeError, "metric and max_drop need each other", qcc.compile, model, max_drop=0.01)
raises(TypeError, "names a metric of its own", qcc.compile, model, max_drop="kl:1",
       metric=lambda outputs, index: 0)
raises(ValueError, "no samples", qcc.compile, model, calibration=[])
raises(ValueError, "input 'x': expected shape (1, 3, 224, 224), got (1, 3, 8, 8)",
       qcc.compile, model, calibration=[samples[0][:, :, :8, :8]])
raises(KeyError, "no array for input 'x'", qcc.compile, model, calibration=[{"z": 1}])
def stop(*_):
    raise KeyboardInterrupt("stop")
raises(KeyboardInterrupt, "stop", qcc.compile, model, calibration=samples, progress=stop)
raises(TypeError, "input 'x' is missing", float_model)
raises(TypeError, "no input 'z'", float_model, z=y)
raises(TypeError, "expected float32, got complex", float_model, samples[0] * 1j)
raises(ValueError, "expected shape", float_model, y)
raises(qcc.ModelError, "no compiled model", qcc.Model, model)
raises(qcc.ModelError, "no compiled model", qcc.Model, f"{folder}/float.so", prefix="net_")
print("all good")
