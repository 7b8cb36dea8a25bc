"""Random cases of the families that are no single layer with constant weights."""

import numpy as np

from case import Case, array, quant
from linear_cases import LinearCases


class KernelCases(LinearCases):
    def row_chain(self, is_float):
        """A depthwise convolution with 1x1 convolutions around it."""
        pick = self.pick
        while True:
            x, w, y, attributes = self.activation_shape(depthwise=True)
            if len(x) == 4 and x[3] % 4 == 0 and x[3] >= 16:
                break
        plain = ("strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, "
                 "group = 1 : i64, layout = #qnn<layout nhwc>")
        expands, projects = pick.choice([(True, True), (True, True), (True, False), (False, True)])
        links = [(x, w, y, attributes)]
        if expands:
            inner = pick.choice([4, 8, 16, 20, 40])
            links.insert(0, (x[:3] + [inner], [x[3], inner, 1, 1], x, plain))
        if projects:
            outer = pick.choice([3, 8, 16, 40, 70])
            links.append((y, [outer, y[3], 1, 1], y[:3] + [outer], plain))
        case = None
        for i, (x, w, y, attributes) in enumerate(links):
            last = i + 1 == len(links) and projects
            part = self.linear_of("conv", x, w, y, attributes, 0, w[0], is_float, (case and case.result, last))
            if case:
                case.append(part)
            else:
                case = part
        return case

    def product_shape(self):
        """Two batches of matrices that broadcast."""
        pick = self.pick
        rows = pick.choice([1, 2, 5, 7, 13, 33, 50])
        depth = pick.choice([1, 3, 4, 5, 8, 16, 31, 64, 130])
        columns = pick.choice([1, 3, 10, 16, 17, 33, 48, 64, 65, 80, 100, 129])
        if self.tiles:
            rows = pick.choice([7, 16, 20, 33, 48, 64, 77, 130, 197])
            depth = pick.choice([5, 16, 31, 64, 68, 100, 130, 260, 1100, 2305])
            columns = pick.choice([5, 16, 17, 32, 33, 48, 64, 80, 129, 200])
        left, right, both = pick.choice([([], [], []), ([3], [3], [3]), ([2, 3], [2, 3], [2, 3]),
                                         ([2, 3], [2, 1], [2, 3]), ([1], [4], [4]), ([2, 2], [], [2, 2])])
        transposed = pick.random() < 0.5
        rhs = [columns, depth] if transposed else [depth, columns]
        return left + [rows, depth], right + rhs, both + [rows, columns], transposed

    def follow_floats(self, case, ops, costly=False):
        """A random chain of elementwise ops behind a float result."""
        pick = self.pick
        y = case.result[0]
        for _ in range(ops):
            kind = pick.choice(["add", "mul", "sub", "relu"] + ["gelu"] * costly)
            if kind in ("relu", "gelu"):
                case.follow(f'"qnn.unary"({{}}) {{{{kind = #qnn<unary_kind {kind}>}}}}', (y, "f32", "f32"))
                continue
            shape = pick.choice([[], y[-1:], y, [1] * (len(y) - 1) + y[-1:]])
            if pick.random() < 0.2:
                case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind div>}}', (y, "f32", "f32"),
                            ([], "f32", np.float32(pick.choice([8, 0.25, 3]))), constant=True)
                continue
            operand = shape, "f32", self.floats(shape)
            case.follow(f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind {kind}>}}}}', (y, "f32", "f32"),
                        operand, pick.random() < 0.5)

    def product(self, is_float):
        pick, case = self.pick, Case()
        x, w, y, transposed = self.product_shape()
        names = "operandSegmentSizes = array<i32: 1, 1, 0, 0>" + (", transpose_rhs" if transposed else "")
        activation = pick.choice([None, None, ("relu", 0, 0), ("clamp", -1.5, 2.5)])
        if activation:
            names += ", activation = #qnn.act<{}, {:.6f} : f32, {:.6f} : f32>".format(*activation)
        case.text = f'"qnn.matmul"({{}}) {{{{{names}}}}}'
        if is_float:
            case.inputs += [(x, "f32", self.floats(x)), (w, "f32", self.floats(w))]
            case.result = y, "f32", "f32"
            self.follow_floats(case, pick.choice([0, 0, 1, 3]), costly=True)
            return case
        scales = []
        for shape in (x, w):
            storage = pick.choice(["u8", "u8", "i8"])
            zero = pick.choice([0, 128, 255, 7] if storage == "u8" else [0, -128, 127, -5])
            scales.append(self.scale())
            case.inputs.append((shape, quant(storage, scales[-1], zero), self.bytes(shape)))
        spread = float(np.float32(scales[0] * scales[1] * x[-1]**0.5 * 40 * pick.choice([0.1, 1, 5])))
        output = pick.choice(["u8", "i8", "f32"])
        kind = {"f32": "f32", "u8": quant("u8", spread, 13), "i8": quant("i8", spread, -5)}[output]
        case.result = y, output, kind
        if output == "f32":
            self.follow_floats(case, pick.choice([0, 1, 2]))
            if pick.random() < 0.5:
                stored, kind = pick.choice([("u8", quant("u8", spread, 128)), ("i16", quant("i16", spread / 64, 0))])
                case.follow('"qnn.quantize"({})', (y, stored, kind))
        return case

    def chain(self):
        """Elementwise ops that read from memory, with and without rounding to 8
        bits on the way. In front of it are only ops that are exact on all levels."""
        pick, case = self.pick, Case()
        y = pick.choice([[7], [64], [3, 40], [2, 5, 17], [1, 6, 6, 33], [4, 100], [1, 9, 8, 64], [5, 3]])
        head = pick.choice(["relu", "dequantize", "quantize", "binary", "gelu", "cast", "max"])
        if head == "dequantize":
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("i8", -5), ("i8", 0), ("i16", 0), ("i16", 9)])
            case.inputs.append((y, quant(stored, self.scale(), zero), self.integers(y, stored)))
            case.text = '"qnn.dequantize"({})'
        elif head == "cast":  # a kernel of its own, like the next
            case.inputs.append((y, "i64", self.data.integers(-50, 50, y).astype(np.int64)))
            case.text = '"qnn.cast"({})'
        elif head == "max":
            case.inputs.append((y + [3], "f32", self.floats(y + [3]) * 3))
            case.text = f'"qnn.reduce"({{}}) {{{{kind = #qnn<reduce_kind max>, axes = array<i64: {len(y)}>}}}}'
        elif head == "binary":
            case.inputs.append((y, "f32", self.floats(y) * 3))
            shape = pick.choice([[], y[-1:], y])
            case.inputs.append((shape, "f32", self.floats(shape)))
            if pick.random() < 0.5:
                case.inputs.reverse()
            kind = pick.choice(["add", "sub", "mul"])
            case.text = f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind {kind}>}}}}'
        elif head == "quantize":
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("i8", -5), ("i8", 0), ("i16", 0)])
            case.inputs.append((y, "f32", self.floats(y) * 3))
            case.text = '"qnn.quantize"({})'
            case.result = y, stored, quant(stored, self.scale(), zero)
            case.follow('"qnn.dequantize"({})', (y, "f32", "f32"))
        else:
            case.inputs.append((y, "f32", self.floats(y) * 3))
            case.text = f'"qnn.unary"({{}}) {{{{kind = #qnn<unary_kind {head}>}}}}'
        if head != "quantize":
            case.result = y, "f32", "f32"
        if head != "gelu" and pick.random() < 0.6:
            self.follow_floats(case, pick.choice([0, 0, 1]))
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("u8", 13), ("i8", -5), ("i16", 0), ("i16", -7)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, self.scale(), zero)))
            case.follow('"qnn.dequantize"({})', (y, "f32", "f32"))
        self.follow_floats(case, pick.choice([1, 2, 3]), costly=True)
        if pick.random() < 0.4:
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("i16", 0)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, self.scale(), zero)))
        return case

    def matmul_integer(self):
        """Sums with zero points known at run time, and what follows them in
        dynamically quantized models."""
        pick, case = self.pick, Case()
        x, w, y, _ = self.product_shape()
        w = w[:-2] + [x[-1], y[-1]]
        kinds = [pick.choice(["ui8", "i8"]) for _ in range(2)]
        typed = lambda kind, data: data if kind == "ui8" else data.view(np.int8)
        case.inputs.append((x, kinds[0], typed(kinds[0], self.bytes(x))))
        constant = pick.random() < 0.6
        if constant:
            case.constants.append((w, kinds[1], kinds[1], self.bytes(w)))
        else:
            case.inputs.append((w, kinds[1], typed(kinds[1], self.bytes(w))))
        zeros = [pick.random() < 0.8, pick.random() < 0.5]
        for given, kind in zip(zeros, kinds):
            if given:
                case.inputs.append(([], kind, typed(kind, self.bytes([]))))
        case.text = ('"qnn.matmul_integer"({}) {{operandSegmentSizes = array<i32: 1, 1, %d, %d>}}'
                     % (zeros[0], zeros[1]))
        case.result = y, "i32", "i32"
        if pick.random() < 0.7:
            case.follow('"qnn.cast"({})', (y, "f32", "f32"))
            self.follow_floats(case, pick.choice([0, 1, 2, 3]))
        return case

    def blocks(self, is_float):
        """Weights in blocks, with and without zero points; inputs with blocks
        of zeros and with numbers that have no place in 8 bits."""
        pick, case = self.pick, Case()
        rows = pick.choice([[1], [1], [2], [7], [2, 3], [13], [33], [150], []])
        bits, block = pick.choice([2, 4, 4, 4, 8]), pick.choice([8, 16, 24, 32, 32, 64, 128])
        depth = pick.choice([1, 5, block - 1, block, block + 1, 3 * block, 100, 130, 700])
        columns = pick.choice([1, 3, 15, 16, 17, 33, 48, 64, 70, 100, 130])
        blocks = -(-depth // block)
        x = self.floats(rows + [depth]) * np.float32(pick.choice([1, 1, 30, 1e-3]))
        x[..., :block] *= np.float32(pick.choice([1, 1, 0, 1e-31]))
        if pick.random() < 0.15:
            x.flat[-1] = pick.choice([np.inf, np.nan])
        case.inputs.append((rows + [depth], "f32", x))
        packed = [columns, blocks, block * bits // 8]
        case.constants.append((packed, "ui8", "ui8", self.bytes(packed)))
        scales = np.abs(self.floats([columns, blocks])) * np.float32(0.1)
        case.constants.append(([columns, blocks], "f32", "f32", scales))
        if pick.random() < 0.4:  # stored in two bytes
            scales = (scales.view(np.uint32) & 0xffff0000).view(np.float32)
        kind = pick.choice([None, None, "ui8", "f32"])
        if kind == "ui8":
            zeros = self.data.integers(0, 1 << bits, [columns, blocks]).astype(np.uint8)
        elif kind:
            zeros = (self.data.random([columns, blocks]) * ((1 << bits) - 1)).astype(np.float32)
        if kind:
            case.constants.append(([columns, blocks], kind, kind, zeros))
        y = rows + [columns]
        case.text = ('"qnn.block_matmul"({}) {{bits = %d : i64, block = %d : i64%s}}'
                     % (bits, block, "" if is_float else ", int8_input"))
        case.result = y, "f32", "f32"
        self.follow_floats(case, pick.choice([0, 0, 1, 2]))
        if pick.random() < 0.3:
            case.follow('"qnn.quantize"({})', (y, "u8", quant("u8", self.scale(), 128)))
        return case

    def rows(self, op, is_float):
        """Normalization or softmax of rows, of 8-bit values and to 8 bits, too."""
        pick, case = self.pick, Case()
        x = pick.choice([[], [2], [3, 5]]) + [pick.choice([1, 7, 40]), pick.choice([5, 16, 17, 31, 64, 100, 197, 384])]
        after = pick.choice([0, 1, 2]), not is_float and pick.random() < 0.7
        if op == "softmax":
            text = f'"qnn.softmax"({{}}) {{{{axis = {len(x) - 1} : i64}}}}'
        else:
            rms = ", rms" if pick.random() < 0.3 else ""
            text = (f'"qnn.normalize"({{}}) {{{{axes = {array([len(x) - 1])}, epsilon = 1.0e-5 : f32{rms}}}}}')
        if is_float or pick.random() < 0.3:
            case.inputs.append((x, "f32", self.floats(x) * 3))
            case.text, case.result = text, (x, "f32", "f32")
        else:
            kind = quant("u8", self.scale(), pick.choice([0, 128, 7]))
            case.inputs.append((x, kind, self.bytes(x)))
            case.text, case.result = '"qnn.dequantize"({})', (x, "f32", "f32")
            self.follow_floats(case, pick.choice([0, 1, 1]))
            case.follow(text, (x, "f32", "f32"))
        self.follow_floats(case, after[0])
        if after[1]:
            kind = quant("u8", float(np.float32(0.01 if op == "softmax" else 0.05)), pick.choice([0, 128]))
            case.follow('"qnn.quantize"({})', (x, "u8", kind))
        return case

    def attention(self, is_float):
        """Products around a softmax, transposed as projections leave heads, with
        scale, cap and masks. Some have no rows that a kernel keeps."""
        pick, case = self.pick, Case()
        batch, heads = pick.choice([1, 1, 2]), pick.choice([1, 2, 3])
        rows = pick.choice([1, 2, 7, 13, 50, 64, 197])
        length = pick.choice([5, 16, 17, 31, 50, 64, 100, 130, 197])
        depth, size = pick.choice([4, 5, 8, 32, 64, 80]), pick.choice([5, 8, 16, 17, 32, 64, 80, 96])
        if self.tiles:
            rows, length = pick.choice([16, 33, 64, 77, 197]), pick.choice([33, 64, 100, 130, 197])

        def matrices(shape, moved, own=None):
            """Heads apart, or moved there: from [batch, rows, heads, columns]; of
            one head for all where it is not `own`."""
            shape = [batch, heads if own is None else own] + shape
            given = [shape[moved.index(d)] for d in range(4)]
            if is_float:
                return given, "f32", self.floats(given), moved
            stored = pick.choice(["u8", "u8", "i8"])
            zero = pick.choice([0, 128, 7] if stored == "u8" else [0, -128, 5])
            return given, quant(stored, 0.02, zero), self.bytes(given), moved

        plain, apart = [0, 1, 2, 3], [0, 2, 1, 3]
        own = pick.choice([None, None, 1])
        transposed = pick.random() < 0.5
        key = [length, depth] if transposed else [depth, length]
        case.inputs = [matrices([rows, depth], pick.choice([plain, apart])),
                       matrices(key, pick.choice([plain, apart, [0, 2, 3, 1]][:2 if transposed else 3]), own)]
        if not transposed and case.inputs[1][3] == apart:
            case.inputs[1] = matrices(key, [0, 2, 3, 1], own)
        product = '"qnn.matmul"({}) {{operandSegmentSizes = array<i32: 1, 1, 0, 0>%s}}'
        case.text = product % (", transpose_rhs" if transposed else "")
        y = [batch, heads, rows, length]
        case.result = y, "f32", "f32"
        if pick.random() < 0.7:
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind div>}}', (y, "f32", "f32"),
                        ([], "f32", np.float32(pick.choice([8, 4, 5.5]))), constant=True)
        if pick.random() < 0.2:
            case.follow('"qnn.unary"({}) {{kind = #qnn<unary_kind tanh>}}', (y, "f32", "f32"))
        mask = pick.choice([None, [length], [batch, 1, 1, length], [rows, length], [1, 1, rows, length], y])
        if mask:
            values = self.floats(mask)
            if pick.random() < 0.5 and mask[-2:] == [rows, length] and rows <= length:  # causal
                values = np.broadcast_to(np.triu(np.full([rows, length], -np.inf), length - rows + 1), mask)
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind add>}}', (y, "f32", "f32"),
                        (mask, "f32", values), pick.random() < 0.3)
        case.follow('"qnn.softmax"({}) {{axis = 3 : i64}}', (y, "f32", "f32"))
        if pick.random() < 0.2:
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind mul>}}', (y, "f32", "f32"),
                        ([length], "f32", self.floats([length])))
        if not is_float:
            stored, zero = pick.choice([("u8", 0), ("u8", 0), ("u8", 3), ("i8", -128)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, float(np.float32(1 / 255)), zero)))
        z = [batch, heads, rows, size]
        kind = "f32"
        if not is_float and pick.random() < 0.3:
            kind = quant("u8", 0.05, 128)
        case.follow(product % "", (z, "f32" if kind == "f32" else "u8", kind),
                    matrices([length, size], pick.choice([plain, apart]), own))
        if kind == "f32":
            self.follow_floats(case, pick.choice([0, 0, 1]), costly=is_float)
            if not is_float:
                kind = quant("u8", 0.05, 128)
                case.follow('"qnn.quantize"({})', (z, "u8", kind))
        if pick.random() < 0.6:
            case.follow(f'"qnn.transpose"({{}}) {{{{permutation = {array(apart)}}}}}',
                        ([batch, rows, heads, size], "f32" if kind == "f32" else "u8", kind))
        return case

    def dynamic(self):
        """Quantization by a scale chosen at run time, behind kernels that note the
        range and behind others."""
        pick, case = self.pick, Case()
        before = pick.choice(["input", "input", "normalize", "product"])
        if before == "product":
            case = self.product(is_float=True)
        else:
            x = pick.choice([[1], [63], [64], [65], [2, 100], [5, 70], [3, 7, 24], [197, 48], [40000]])
            values = self.floats(x) * np.float32(pick.choice([0, 1e-30, 1, 3, 1e25]))
            if pick.random() < 0.3:
                values = abs(values)
            if pick.random() < 0.3:
                values.flat[::13] = pick.choice([np.inf, -np.inf, np.nan, 0])
            case.inputs.append((x, "f32", values))
            case.text, case.result = '"qnn.unary"({}) {{kind = #qnn<unary_kind neg>}}', (x, "f32", "f32")
            if before == "normalize":
                case.text = f'"qnn.normalize"({{}}) {{{{axes = {array([len(x) - 1])}, epsilon = 1.0e-5 : f32}}}}'
        case.follow('"qnn.dynamic_quantize"({})', (case.result[0], "u8", "ui8"))
        case.more = [([], "f32"), ([], "ui8")]
        return case

    def pixels(self):
        """Planes that are quantized, then transposed to pixels."""
        pick, case = self.pick, Case()
        space = pick.choice([[7], [63], [64, 1], [5, 13], [32, 32], [3, 4, 23], [65, 70], [4100], [130, 130]])
        shape = [pick.choice([1, 1, 2, 3]), pick.choice([1, 2, 3, 3, 3, 4, 5])] + space
        values = self.floats(shape) * np.float32(pick.choice([0.1, 3, 100]))
        values.flat[::13] *= np.float32(pick.choice([1, 1e30, np.inf, np.nan]))
        stored, zero = pick.choice([("u8", 0), ("u8", 128), ("u8", 114), ("i8", 0), ("i8", -5), ("i16", 0)])
        kind = quant(stored, pick.choice([self.scale(), 1 / 255]), zero)
        case.inputs.append((shape, "f32", values))
        case.text, case.result = '"qnn.quantize"({})', (shape, stored, kind)
        order = [0] + list(range(2, len(shape))) + [1]
        if pick.random() < 0.15:
            order = order[::-1]
        case.follow(f'"qnn.transpose"({{}}) {{{{permutation = {array(order)}}}}}',
                    ([shape[d] for d in order], stored, kind))
        return case

    def stream(self):
        """Elementwise ops on bytes."""
        pick, case = self.pick, Case()
        shape = pick.choice([[1], [63], [64], [65], [2, 100], [3, 7, 24], [5, 70], [2, 9, 192], [40000], [300, 130]])
        kind = lambda: (lambda stored: quant(stored, self.scale(), pick.choice(
            [0, 128, 7] if stored == "u8" else [0, -128, 5])))(pick.choice(["u8", "u8", "i8"]))
        what = pick.choice(["add", "add", "sub", "mul", "mul", "lut", "quantize"])
        result = kind()
        if what == "quantize":
            values = self.floats(shape) * pick.choice([0.1, 3, 100])
            values.flat[::13] *= np.float32(pick.choice([1, 1e30, np.inf, np.nan]))
            case.inputs.append((shape, "f32", values))
            case.text = '"qnn.quantize"({})'
        elif what == "lut":
            case.inputs.append((shape, kind(), self.bytes(shape)))
            table = f'dense<"0x{self.bytes([256]).tobytes().hex().upper()}"> : tensor<256x{"u" * ("<u8" in result)}i8>'
            case.text = f'"qnn.lut"({{}}) {{{{table = {table}}}}}'
        else:
            other = pick.choice([shape, shape, [1] * len(shape), shape[-1:], [1] * (len(shape) - 1) + shape[-1:]])
            operands = [(shape, kind(), self.bytes(shape)), (other, kind(), self.bytes(other))]
            pick.shuffle(operands)
            case.inputs += operands
            activation = pick.choice(["", "", ", activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>"])
            case.text = f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind {what}>{activation}}}}}'
        case.result = shape, "u8", result
        return case

    def mean(self):
        """Means of channels."""
        pick, case = self.pick, Case()
        channels = pick.choice([4, 16, 20, 32, 63, 64, 65, 96, 144, 200])
        size = pick.choice([[1, 1], [2, 2], [3, 5], [4, 4], [7, 7], [9, 8], [16, 16]])
        outer = pick.choice([[1], [2], [1, 3]])
        kind = lambda: (lambda stored: quant(stored, self.scale(), pick.choice(
            [0, 128, 7] if stored == "u8" else [0, -128, 5])))(pick.choice(["u8", "u8", "i8"]))
        x = outer + size + [channels]
        values = self.bytes(x)
        if pick.random() < 0.3:
            values[:] = pick.choice([0, 255])
        case.inputs.append((x, kind(), values))
        axes = [len(outer), len(outer) + 1]
        if pick.random() < 0.2:
            axes = pick.choice([[0], axes[:1], axes[1:], list(range(len(x) - 1))])
        case.text = f'"qnn.reduce"({{}}) {{{{kind = #qnn<reduce_kind mean>, axes = {array(axes)}}}}}'
        case.result = [e for d, e in enumerate(x) if d not in axes], "u8", kind()
        return case

    def pair(self):
        """A product with weights of bf16 behind another kernel."""
        pick, case = self.pick, Case()
        rows, depth, columns = pick.choice([16, 33, 64, 77]), pick.choice([64, 70, 100, 131, 256]), pick.choice([32, 70, 130])
        y = [rows, depth]
        head = pick.choice(["matmul", "matmul", "normalize", "elementwise", "none", "conv", "conv"])
        segments = "operandSegmentSizes = array<i32: 1, 1, 0, 0>"
        activation = pick.choice(["", ", activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>"])
        if head == "conv":
            y = [1, pick.choice([9, 14]), pick.choice([12, 16]), pick.choice([32, 40])]
            inner = pick.choice([16, 32])
            case.inputs.append((y[:3] + [inner], "f32", self.floats(y[:3] + [inner])))
            values = self.floats([y[3], inner, 3, 3])
            case.constants.append(self.weights(values.shape) if pick.random() < 0.6 else
                                  (list(values.shape), "f32", "f32", values))
            window = lambda k: (f"strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = {array([k // 2] * 4)}, "
                                "group = 1 : i64, layout = #qnn<layout nhwc>")
            case.text = f'"qnn.conv"({{}}) {{{{{segments}{activation}, {window(3)}}}}}'
        elif head == "matmul":
            case.inputs.append(([rows, 96], "f32", self.floats([rows, 96])))
            case.constants.append(self.weights([96, depth]))
            case.text = f'"qnn.matmul"({{}}) {{{{{segments}{activation}}}}}'
        else:
            case.inputs.append((y, "f32", self.floats(y)))
            case.text = {"normalize": '"qnn.normalize"({}) {{axes = array<i64: 1>, epsilon = 1.0e-5 : f32}}',
                         "elementwise": '"qnn.unary"({}) {{kind = #qnn<unary_kind relu>}}',
                         "none": '"qnn.reshape"({})'}[head]
        case.result = y, "f32", "f32"
        if head == "elementwise":
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind add>}}', case.result, (y[-1:], "f32", self.floats(y[-1:])))
        if head == "conv":
            k = pick.choice([1, 3])
            shape, _, _, data = self.weights([columns, y[3], k, k])
            case.follow(f'"qnn.conv"({{}}) {{{{{segments}, {window(k)}}}}}', (y[:3] + [columns], "f32", "f32"),
                        (shape, "bf16", data), constant=True)
            return case
        if pick.random() < 0.3:
            y = [1] + y
            case.follow('"qnn.reshape"({})', (y, "f32", "f32"))
        shape, _, _, data = self.weights([depth, columns])
        case.follow(f'"qnn.matmul"({{}}) {{{{{segments}}}}}', (y[:-1] + [columns], "f32", "f32"),
                    (shape, "bf16", data), constant=True)
        return case
