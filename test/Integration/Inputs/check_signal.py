"""Fourier transforms, windows and deformable convolutions against NumPy in double precision."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import compiler

scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(1)


def run(op, names, feeds, constants, opset=17, **attributes):
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)], "g",
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in feeds.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    onnx.save(model, str(scratch / "m.onnx"))
    compiler.compile_model(scratch / "m.onnx", scratch / "m.so", "-quantize=none")
    return compiler.Artefact(scratch / "m.so")(feeds)["y"]


def expect(got, want, what, tolerance=4e-6):
    assert got.shape == want.shape, (what, got.shape, want.shape)
    error = np.abs(got - want).max() / max(np.abs(want).max(), 1e-9)
    assert error < tolerance, (what, error)


def parts(spectrum):
    return np.stack([spectrum.real, spectrum.imag], -1)


def check_transforms():
    # Cut in two (600, 1024), in more (44100); a prime number that is not (521).
    for n in (1, 2, 7, 400, 521, 600, 1024, 44100):
        x = rng.standard_normal((2, n, 2)).astype(np.float32)
        real, z, half = x[..., :1], x[..., 0] + 1j * x[..., 1], x[:, :n // 2 + 1]
        halfZ = half[..., 0] + 1j * half[..., 1]
        length = {"n": np.int64(n)}
        for what, data, want, attributes in (
                ("dft", x, parts(np.fft.fft(z)), {}),
                ("idft", x, parts(np.fft.ifft(z)), {"inverse": 1}),
                ("rfft", real, parts(np.fft.rfft(x[..., 0])), {"onesided": 1}),
                ("irfft", half, np.fft.irfft(halfZ, n)[..., None], {"onesided": 1, "inverse": 1})):
            expect(run("DFT", ["x", "n"], {"x": data}, length, axis=1, **attributes), want, f"{what} of {n}")
    x = rng.standard_normal((3, 10, 4, 1)).astype(np.float32)
    for n in (6, 16):  # cut and padded, along an axis that is not the last one
        want = parts(np.fft.fft(x[..., 0], n, axis=1))
        expect(run("DFT", ["x", "n", "a"], {"x": x}, {"n": np.int64(n), "a": np.int64(-3)}, opset=20), want, n)
    print("transforms: exact to five digits")


def check_short_time():
    for samples, length, step, windowed, oneSided in ((1000, 400, 160, True, 1), (1000, 400, 160, True, 0),
                                                      (300, 7, 3, False, 1), (64, 64, 1, True, 1)):
        x = rng.standard_normal((2, samples, 1)).astype(np.float32)
        window = rng.standard_normal(length).astype(np.float32)
        constants = {"s": np.int64(step), "l": np.int64(length), **({"w": window} if windowed else {})}
        got = run("STFT", ["x", "s", "w" if windowed else "", "l"], {"x": x}, constants, onesided=oneSided)
        frames = np.stack([x[:, i:i + length, 0] for i in range(0, samples - length + 1, step)], 1)
        frames = frames * window if windowed else frames
        expect(got, parts(np.fft.rfft(frames) if oneSided else np.fft.fft(frames)), (samples, length))
    print("short-time transforms: exact to five digits")


def bilinear(image, y, x):
    """The pixel of image [C, H, W] at a place; 0 outside."""
    total = 0
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= row < image.shape[1] and 0 <= column < image.shape[2]:
                total = total + image[:, row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def check_deformed():
    channels, outputs, kernel, stride, dilation, pads, groups, offsets = 4, 6, (3, 2), (2, 1), (1, 2), (1, 0, 2, 1), 2, 2
    x = rng.standard_normal((2, channels, 7, 5)).astype(np.float32)
    w = rng.standard_normal((outputs, channels // groups, *kernel)).astype(np.float32)
    height, width = (7 + 3 - 3) // 2 + 1, (5 + 1 - 3) // 1 + 1
    taps = kernel[0] * kernel[1]
    o = (rng.standard_normal((2, offsets * taps * 2, height, width)) * 2).astype(np.float32)
    m = rng.random((2, offsets * taps, height, width)).astype(np.float32)
    b = rng.standard_normal(outputs).astype(np.float32)
    got = run("DeformConv", ["x", "w", "o", "b", "m"], {"x": x, "o": o, "m": m}, {"w": w, "b": b}, opset=19,
              strides=stride, dilations=dilation, pads=pads, group=groups, offset_group=offsets)
    want = np.zeros((2, outputs, height, width)) + b[:, None, None]
    share, perGroup = channels // offsets, channels // groups
    for n, i, j, g, tap in np.ndindex(2, height, width, offsets, taps):
        ky, kx = divmod(tap, kernel[1])
        at = 2 * (g * taps + tap)
        place = (i * stride[0] - pads[0] + ky * dilation[0] + o[n, at, i, j],
                 j * stride[1] - pads[1] + kx * dilation[1] + o[n, at + 1, i, j])
        read = np.asarray(bilinear(x[n, g * share:(g + 1) * share].astype(np.float64), *place)) * m[n, g * taps + tap, i, j]
        read = np.broadcast_to(read, share)
        for c in range(share):
            channel = g * share + c
            group = channel // perGroup
            rows = slice(group * outputs // groups, (group + 1) * outputs // groups)
            want[n, rows, i, j] += w[rows, channel % perGroup, ky, kx] * read[c]
    expect(got, want, "deformed", 1e-5)
    print("deformable convolutions: exact to five digits")


def check_wide():
    """Places are those of the pixels, however many there are."""
    x = rng.standard_normal((1, 1, 2, 3000)).astype(np.float32)
    for far in (0, np.inf, -3e38):
        o = np.zeros((1, 2, 2, 3000), np.float32)
        o[:, :, 1] = far
        got = run("DeformConv", ["x", "w", "o"], {"x": x, "o": o}, {"w": np.ones((1, 1, 1, 1), np.float32)}, opset=19)
        want = x.copy()
        want[:, :, 1] *= far == 0
        assert np.array_equal(got, want), far
    print("deformable convolutions: exact in wide images, zero far outside")


def check_columns():
    # As many ones as the elements of a block squared, whatever the channels.
    x = rng.standard_normal((2, 96 * 64, 9)).astype(np.float32)
    got = run("Col2Im", ["x", "i", "b"], {"x": x}, {"i": np.array([12, 12]), "b": np.array([8, 8])}, opset=18,
              strides=[2, 2])
    want = np.zeros((2, 96, 12, 12))
    blocks = x.reshape(2, 96, 8, 8, 3, 3).astype(np.float64)
    for row, column in np.ndindex(3, 3):
        want[:, :, 2 * row:2 * row + 8, 2 * column:2 * column + 8] += blocks[..., row, column]
    expect(got, want, "columns")
    assert (scratch / "m.so").stat().st_size < 1 << 20
    print("columns: summed into images")


def check_spectra():
    """Transforms, and products with the power of a spectrum, stay float in every mode."""
    n, mels, time = 400, 80, np.arange(1600) / 16000
    x = np.stack([np.sin(2 * np.pi * f * time) + 1e-3 * rng.standard_normal(1600) for f in (440, 3000)])
    x = x[..., None].astype(np.float32)
    mel = np.clip(1 - np.abs(np.arange(n // 2 + 1)[:, None] / 2.5 - np.arange(mels)), 0, None).astype(np.float32)
    nodes = [helper.make_node("STFT", ["x", "step", "w"], ["s"]), helper.make_node("Mul", ["s", "s"], ["q"]),
             helper.make_node("ReduceSum", ["q", "last"], ["power"], keepdims=0),
             helper.make_node("MatMul", ["power", "mel"], ["m"]), helper.make_node("Add", ["m", "small"], ["a"]),
             helper.make_node("Log", ["a"], ["y"])]
    constants = {"step": np.int64(160), "w": np.hanning(n).astype(np.float32), "last": np.array([-1]), "mel": mel,
                 "small": np.float32(1e-6)}
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(scratch / "mel.onnx"))
    frames = np.stack([x[:, i:i + n, 0] for i in range(0, 1600 - n + 1, 160)], 1) * constants["w"]
    want = np.log((np.abs(np.fft.rfft(frames)) ** 2) @ mel.astype(np.float64) + 1e-6)
    np.savez(scratch / "calib.npz", x=x[None])
    for options in (["-quantize=dynamic"], [f"-calib={scratch / 'calib.npz'}", "-precision=int8"]):
        compiler.compile_model(scratch / "mel.onnx", scratch / "mel.so", *options)
        got = compiler.Artefact(scratch / "mel.so")({"x": x})["y"]
        decibels = 10 * np.log10((want ** 2).sum() / ((got - want) ** 2).sum())
        assert decibels > 50, (options, decibels)
    print("spectra: stay float")


check_transforms()
check_short_time()
check_deformed()
check_wide()
check_columns()
check_spectra()
