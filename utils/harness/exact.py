"""Explicitly quantized ONNX models evaluated in double precision.

Between QuantizeLinear and DequantizeLinear every value has few enough bits that
products and sums of doubles are exact or wrong by 1e-16, so this is the meaning
of the file itself: the same real numbers, rounded only where it says Q. Float32
runtimes, ONNX Runtime among them, also round their sums, and where a sum comes
close to the tie of a quantization that moves the integer.
"""
import numpy as np
import onnx
from onnx import numpy_helper


def _attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _along(values, axis, rank):
    """Scales or zero points as an array that broadcasts over `rank` dimensions."""
    values = np.asarray(values)
    if values.size == 1:
        return values.reshape(())
    return values.reshape([-1 if d == axis % rank else 1 for d in range(rank)])


def _quantize(a, x, scale, zero=np.uint8(0)):
    limits = np.iinfo(np.asarray(zero).dtype)
    axis = a.get("axis", 1)
    scale = _along(scale, axis, x.ndim).astype(np.float64)
    zero = _along(zero, axis, x.ndim)
    q = np.rint(x / scale) + zero.astype(np.float64)
    return np.clip(q, limits.min, limits.max).astype(zero.dtype)


def _dequantize(a, q, scale, zero=0):
    axis = a.get("axis", 1)
    zero = _along(zero, axis, q.ndim).astype(np.float64)
    return (q.astype(np.float64) - zero) * _along(scale, axis, q.ndim).astype(np.float64)


def _windows(x, kernel, strides, dilations, pads):
    """x [N, C, H, W] as windows [N, C, OH, OW, KH, KW]."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return view[:, :, ::strides[0], ::strides[1], ::dilations[0], ::dilations[1]]


def _conv(a, x, w, bias=None):
    group, kernel = a.get("group", 1), w.shape[2:]
    if len(kernel) != 2 or a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise NotImplementedError("Conv: two spatial dimensions and explicit padding only")
    view = _windows(x, kernel, a.get("strides", [1, 1]), a.get("dilations", [1, 1]),
                    a.get("pads", [0, 0, 0, 0]))
    n, _, height, width = view.shape[:4]
    outputs = []
    for part, weights in zip(np.split(view, group, axis=1), np.split(w, group)):
        # Rows of a matrix product: one per output pixel, one column per product.
        rows = part.transpose(0, 2, 3, 1, 4, 5).reshape(n * height * width, -1)
        outputs.append(rows @ weights.reshape(len(weights), -1).T)
    y = np.concatenate(outputs, axis=1).reshape(n, height, width, -1).transpose(0, 3, 1, 2)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def _gemm(a, x, w, bias=0.0):
    x = x.T if a.get("transA") else x
    w = w.T if a.get("transB") else w
    return a.get("alpha", 1.0) * (x @ w) + a.get("beta", 1.0) * bias


def _clip(a, x, low=None, high=None):
    low = a.get("min") if low is None else low
    high = a.get("max") if high is None else high
    return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)


def _pad(a, x, pads=None, value=0.0):
    if a.get("mode", b"constant") != b"constant":
        raise NotImplementedError("Pad: constant padding only")
    pads = list(a["pads"] if pads is None else pads)
    rank = x.ndim
    value = 0.0 if value is None else float(np.asarray(value))
    return np.pad(x, list(zip(pads[:rank], pads[rank:])), constant_values=value)


def _softmax(a, x):
    axis = a.get("axis", -1)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _batch_norm(a, x, scale, shift, mean, variance):
    along = lambda v: v.astype(np.float64).reshape([1, -1] + [1] * (x.ndim - 2))
    factor = along(scale) / np.sqrt(along(variance) + a.get("epsilon", 1e-5))
    return (x - along(mean)) * factor + along(shift)


def _resize(a, x, _roi, scales):
    modes = (a.get("mode", b"nearest"), a.get("coordinate_transformation_mode", b"half_pixel"),
             a.get("nearest_mode", b"round_prefer_floor"))
    if modes[0] != b"nearest" or any(s != round(s) for s in map(float, scales)):
        raise NotImplementedError("Resize: nearest by whole factors only")
    for axis, s in enumerate(map(float, scales)):
        x = np.repeat(x, round(s), axis=axis)
    return x


def _reshape(a, x, shape):
    return x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(shape.tolist())])


def _reduce_mean(a, x):
    return x.mean(axis=tuple(a["axes"]), keepdims=bool(a.get("keepdims", 1)))


_OPERATORS = {
    "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize, "Conv": _conv, "Gemm": _gemm,
    "MatMul": lambda a, x, y: x @ y, "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: x / y, "Pow": lambda a, x, y: x ** y,
    "Relu": lambda a, x: np.maximum(x, 0), "Clip": _clip, "Pad": _pad, "Softmax": _softmax,
    "BatchNormalization": _batch_norm, "Resize": _resize, "Reshape": _reshape,
    "ReduceMean": _reduce_mean, "Flatten": lambda a, x: x.reshape(
        int(np.prod(x.shape[:a.get("axis", 1)])), -1),
    "GlobalAveragePool": lambda a, x: x.mean(axis=(2, 3), keepdims=True),
    "Transpose": lambda a, x: x.transpose(a.get("perm")),
    "Constant": lambda a: numpy_helper.to_array(a["value"]),
    "Shape": lambda a, x: np.array(x.shape, np.int64),
    "Gather": lambda a, x, i: np.take(x, i, axis=a.get("axis", 0)),
    "Concat": lambda a, *xs: np.concatenate(xs, axis=a["axis"]),
    "Unsqueeze": lambda a, x, axes=None: np.expand_dims(
        x, tuple(a["axes"] if axes is None else axes.tolist())),
}


def _widen(x):
    return x.astype(np.float64) if x.dtype.kind == "f" else x


class Model:
    """model(feeds) -> {output name: array of doubles}."""

    def __init__(self, path):
        self.graph = onnx.load(str(path)).graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}
        self.nodes = [(n, _attributes(n)) for n in self.graph.node]

    def count(self, operator):
        return sum(node.op_type == operator for node, _ in self.nodes)

    def values(self, feeds, replace=lambda node, value: value):
        """All values of one inference by name. The nodes behind one see what `replace` makes
        of its result."""
        values = {**self.constants, **feeds}
        for node, attributes in self.nodes:
            operands = [None if name == "" else _widen(np.asarray(values[name]))
                        for name in node.input]
            if node.op_type not in _OPERATORS:
                raise NotImplementedError(f"{node.op_type}: not among the operators of this module")
            result = np.asarray(_OPERATORS[node.op_type](attributes, *operands))
            values[node.output[0]] = replace(node, result)
        return values

    def __call__(self, feeds):
        values = self.values(feeds)
        return {o.name: values[o.name] for o in self.graph.output}

    def layers(self, feeds, tensors):
        """Each layer by itself: {node name: (integers of the file's meaning, integers given)}.

        `tensors` are {name: array} as qcc's artefacts dump them. Each quantized value of
        the model that is among them is compared with what the exact values of the nodes
        before it give, and then takes its place, so that no difference reaches a later layer.
        """
        producer = {o: n for n in self.graph.node for o in n.output}
        found = {}

        def names(node):
            """Of the nodes whose result is rounded first here; they may have been fused."""
            chain, pending = [node.name], [node.input[0]]
            while pending:
                before = producer.get(pending.pop())
                if before is not None and before.op_type not in ("DequantizeLinear", "Constant"):
                    chain.append(before.name)
                    pending += before.input
            return chain

        def covers(stem, chain):
            last = chain[:2]
            if not any(name in stem for name in last):
                return False
            for name in sorted(chain, key=len, reverse=True):
                stem = stem.replace(name, "", 1)
            return not stem.strip("_")

        def replace(node, value):
            if value.dtype not in (np.int8, np.uint8) or node.op_type == "Constant":
                return value
            given = [t for stem, t in tensors.items() if t.dtype.itemsize == 1
                     and t.size == value.size and covers(stem, names(node))]
            if not given:
                return value
            # Signed integers may be stored with 128 added, and channels last.
            q = given[0].astype(np.int64) + (128 * (int(value.dtype.kind == "u") -
                                                    int(given[0].dtype.kind == "u")))
            forms = [q.reshape(value.shape)] if q.shape == value.shape or q.ndim != 4 else []
            if q.ndim == 4 and q.transpose(0, 3, 1, 2).shape == value.shape:
                forms.append(q.transpose(0, 3, 1, 2))
            if not forms:
                return value
            form = min(forms, key=lambda f: np.count_nonzero(f != value)).astype(value.dtype)
            found[node.name] = (value, form)
            return form

        self.values(feeds, replace)
        return found
