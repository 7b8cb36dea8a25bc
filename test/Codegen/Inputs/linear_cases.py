"""Random convolutions and matrix products with constant weights."""

import numpy as np

from case import Case, FUNCTIONS, Random, array, per_axis, product, quant


class LinearCases(Random):
    def activation_shape(self, depthwise):
        """Random geometry of a convolution: input, filter, result, attributes."""
        pick = self.pick
        rank = pick.choice([1, 2, 2, 2]) if not self.volume else 3
        if depthwise:
            group = pick.choice([1, 3, 4, 8, 16, 17, 32, 33, 64, 70, 96, 144, 200])
            if self.words:
                group = pick.choice([8, 16, 24, 32, 33, 40, 64, 70, 96, 144, 200])
            inner = outer = 1
        else:
            group = pick.choice([1, 1, 1, 2, 3])
            inner = pick.choice([1, 2, 3, 4, 5, 8, 16, 17, 32, 64])
            outer = pick.choice([1, 3, 4, 8, 16, 17, 24, 32, 40, 64, 70, 100])
            if self.tiles:
                group = pick.choice([1, 1, 1, 2])
                inner = pick.choice([16, 17, 32, 64, 100, 128])
                outer = pick.choice([16, 17, 32, 40, 64, 70, 96, 130])
            if self.grouped:
                group = pick.choice([4, 6, 8, 16, 17, 32])
                inner, outer = pick.choice([1, 1, 2, 3, 4, 8]), pick.choice([1, 2, 2, 3, 4, 8])
        some = lambda values, n=rank: [pick.choice(values) for _ in range(n)]
        kernel, strides = some([1, 1, 2, 3, 3, 5]), some([1, 1, 2, 3])
        dilations, pads = some([1, 1, 1, 2]), some([0, 0, 1, 2], 2 * rank)
        if pick.random() < 0.3 and not depthwise:
            kernel, strides, dilations, pads = [1] * rank, [1] * rank, [1] * rank, [0] * 2 * rank
        space = some([1, 3, 5, 7, 8, 11, 14] if not self.tiles else [5, 7, 9, 14, 17])
        if self.winograd:
            rank, group = 2, 1
            inner, outer = pick.choice([16, 17, 31, 32, 48, 64, 100]), pick.choice([4, 9, 16, 17, 40, 64, 70, 130])
            if pick.random() < 0.2:
                inner, outer = 130, 143  # filters that are read panel by panel
            kernel, strides, dilations = [3, 3], [1, 1], [1, 1]
            pads = pick.choice([[1, 1, 1, 1], [0, 0, 0, 0], [0, 2, 1, 3]])
            space = pick.choice([[14, 14], [15, 13], [13, 26], [3, 75], [75, 3], [20, 19]])
        if depthwise and pick.random() < 0.3:
            space[-1] = pick.choice([27, 40])  # columns in several segments
        if self.long:
            kernel[-1], space[-1] = pick.choice([17, 24, 31]), pick.choice([11, 27, 40])
            pads[rank - 1], pads[-1] = pick.choice([0, 8, 15]), pick.choice([0, 8, 15])
            if rank == 1:  # longer than a slab
                group, space[0] = pick.choice([16, 17, 40]), 7000
                kernel[0] = pick.choice([3, 31])
        if self.volume and not self.transposed and pick.random() < 0.25:
            # One plane, whose only window begins in front of it.
            space[0], kernel[0], strides[0], pads[0], pads[rank] = 1, 1, 2, 1, 0
        out = []
        for i in range(rank):
            if self.transposed:
                break
            room = lambda: space[i] + pads[i] + pads[rank + i] - dilations[i] * (kernel[i] - 1) - 1
            while room() < 0:
                space[i] += 1
            out.append(room() // strides[i] + 1)
        batch = pick.choice([1, 1, 2])
        more = ""
        if self.transposed:
            # The last one often a multiple of its stride: then pixels are joined.
            strides, kernel = some([1, 2, 2, 3, 4]), some([1, 2, 3, 4, 5])
            if depthwise:  # those of few elements are for the reference kernel
                kernel = some([3, 4, 5, 7]) if rank > 1 else [pick.choice([5, 17, 20])]
                strides[-1] = pick.choice([1, 2, 3, 5])
            elif pick.random() < 0.5:
                kernel[-1] = strides[-1] * pick.choice([1, 2])
            extra = some([0, 0, 0, 1, 3])
            if self.volume and pick.random() < 0.4:
                # One plane, and phases whose only window lies outside of it.
                space[0] = 1
                strides[0], kernel[0], dilations[0], pads[0], pads[rank], extra[0] = pick.choice(
                    [(2, 2, 1, 2, 0, 1), (4, 3, 3, 0, 1, 0), (4, 3, 3, 0, 5, 1), (3, 1, 1, 0, 0, 2)])
            extent = lambda i: (strides[i] * (space[i] - 1) + extra[i] + (kernel[i] - 1) * dilations[i] + 1
                                - pads[i] - pads[rank + i])
            for i in range(rank):
                while extent(i) < 1:
                    space[i] += 1
            out = [extent(i) for i in range(rank)]
            more = f"output_padding = {array(extra)}, "
        attributes = more + (
            f"strides = {array(strides)}, dilations = {array(dilations)}, pads = {array(pads)}, "
            f"group = {group} : i64, layout = #qnn<layout nhwc>"
        )
        filters = [group * inner, outer] if self.transposed else [group * outer, inner]
        return ([batch] + space + [group * inner], filters + kernel,
                [batch] + out + [group * outer], attributes)

    def matmul_shape(self):
        pick = self.pick
        rows = pick.choice([1, 1, 2, 5, 6, 7, 13, 50])
        depth = pick.choice([1, 3, 4, 5, 8, 16, 31, 64, 130])
        columns = pick.choice([1, 3, 10, 16, 17, 24, 33, 48, 64, 65, 80, 100, 129])
        if self.tiles:
            rows = pick.choice([7, 16, 20, 33, 48, 50, 64, 77, 96, 130, 197])
            depth = pick.choice([20, 64, 68, 100, 128, 130, 260, 1024, 1100, 2304, 3000])
            columns = pick.choice([16, 17, 32, 33, 48, 64, 80, 128, 129, 200])
        batch = pick.choice([[], [2], [1]])
        transposed = pick.random() < 0.5
        weights = [columns, depth] if transposed else [depth, columns]
        return (batch + [rows, depth], weights, batch + [rows, columns],
                "transpose_rhs" if transposed else "")

    def linear(self, op, depthwise=False, is_float=False):
        if op == "matmul":
            x, w, y, attributes = self.matmul_shape()
            axis = 0 if attributes else 1
            channels = y[-1]
        else:
            x, w, y, attributes = self.activation_shape(depthwise)
            axis, channels = 0, w[0]
            if self.transposed:
                op, axis, channels = "conv_transpose", int(not depthwise or w[0] == 1), y[-1]
        return self.linear_of(op, x, w, y, attributes, axis, channels, is_float)

    def linear_of(self, op, x, w, y, attributes, axis, channels, is_float, link=None):
        """`link`: of a chain, what its input is and whether it is the last one."""
        pick, case, residual = self.pick, Case(), None
        self.link = link
        activation = pick.choice([None, None, ("relu", 0, 0), ("clamp", 0, 6), ("clamp", -1.5, 2.5),
                                  ("leaky_relu", 0.1, 0), ("hard_swish", 0, 0),
                                  (pick.choice(FUNCTIONS), 0, 0)])
        if is_float:
            case.inputs.append((x, "f32", self.floats(x)))
            case.constants.append(self.weights(w))
            if pick.random() < 0.7:
                case.constants.append(([channels], "f32", "f32", self.floats([channels])))
            if pick.random() < 0.3 and (not link or link[1]) and not self.transposed:
                residual = (y, "f32", self.floats(y))
            result = "f32", "f32"
        else:
            activation, residual, result = self.quantized(case, x, w, y, axis, channels, activation)
        if residual:
            case.inputs.append(residual)
        bias = len(case.constants) > 1
        names = f"operandSegmentSizes = array<i32: 1, 1, {int(bias)}, {int(bool(residual))}>"
        if self.transposed:
            names, attributes = attributes, ""
        if activation:
            names += ", activation = #qnn.act<{}, {:.6f} : f32, {:.6f} : f32>".format(*activation)
        if attributes:
            names += ", " + attributes
        case.text = f'"qnn.{op}"({{}}) {{{{{names}}}}}'
        case.result = (y, *result)
        if result[0] in ("u8", "i8") and pick.random() < 0.4:
            stored = pick.choice(["u8", "i8"]) if not link or link[1] else "u8"
            entries = self.bytes([256]).tobytes().hex().upper()
            case.follow(f'"qnn.lut"({{}}) {{{{table = dense<"0x{entries}"> : '
                        f"tensor<256x{stored.replace('u8', 'ui8')}>}}}}",
                        (y, stored, quant(stored, self.scale(), 0)))
        if self.sums:
            self.add_bytes(case)
        if is_float and pick.random() < 0.4 and (not link or link[1]):
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("u8", 13), ("i8", 0), ("i8", -5), ("i16", 0), ("i16", 9)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, self.scale(), zero)))
        if self.parts:
            y, stored, kind = case.result
            if stored in ("u8", "i8") and pick.random() < 0.3:
                self.add_bytes(case)
                y, stored, kind = case.result
            other = y[:-1] + [pick.choice([1, 3, 16, 70])]
            data = self.floats(other) if stored == "f32" else self.integers(other, stored)
            case.follow(f'"qnn.concat"({{}}) {{{{axis = {len(y) - 1} : i64}}}}',
                        (y[:-1] + [y[-1] + other[-1]], stored, kind), (other, kind, data), pick.random() < 0.5)
        return case

    def add_bytes(self, case):
        """A residual addition. Its scale is such that some results saturate."""
        pick = self.pick
        y, scales = case.result[0], [self.scale(), self.scale()]
        kinds = [pick.choice([("u8", 0), ("u8", 128), ("u8", 13), ("u8", 255), ("i8", 0), ("i8", -128), ("i8", 5)])
                 for _ in range(2)]
        scales[0] = pick.choice([scales[0], float(case.result[2].split(", ")[1].split(":")[0])])  # that of the term
        scales[1] = float(np.float32(scales[0] * pick.choice([0.3, 1, 1, 1.7])))
        other, result = (quant(stored, scale, zero) for (stored, zero), scale in zip(kinds, scales))
        activation = pick.choice(["", ", activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>",
                                  ", activation = #qnn.act<clamp, 0.0 : f32, 6.0 : f32>"])
        case.follow(f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind add>{activation}}}}}', (y, kinds[1][0], result),
                    (y, other, self.bytes(y)), pick.random() < 0.5)

    def quantized(self, case, x, w, y, axis, channels, activation):
        pick = self.pick
        storage = pick.choice(["u8", "u8", "i8"])
        zero = pick.choice([0, 128, 255, 7] if storage == "u8" else [0, -128, 127, -5])
        depth = product(w) // channels
        if self.words:
            storage = "i16"
            zero = 0 if depth > 500 else pick.choice([0, 0, 100, -1000])
        scale = self.scale()
        link = self.link
        if link and link[0]:  # (shape, storage, type)
            storage = link[0][1]
            scale, zero = (kind(number) for kind, number in
                           zip((float, int), link[0][2].rstrip(">").split(", ")[1].split(":")))
        elif link:
            storage, zero = ("i16" if self.words else "u8"), 7
        case.inputs.append((x, quant(storage, scale, zero), self.integers(x, storage)))
        # Weights: signed around zero, or unsigned around some zero point.
        each = pick.random() < 0.6 and w[axis] == channels
        scales = [self.scale() for _ in range(channels)] if each else [self.scale()]
        fitting = [("i8", 0), ("i8", 0), ("ui8", 128)]
        plain, weight_zero = pick.choice(fitting + [("i8", 3), ("ui8", 7), ("ui8", 255)])
        if link and w[1] == 1:
            plain, weight_zero = pick.choice(fitting)
        stored = plain.replace("ui8", "u8")
        values = self.bytes(w)
        if self.words and pick.random() < 0.6:  # as many bits as 32-bit sums allow
            plain, weight_zero, stored = "i16", 0, "i16<-32767:32767>"
            values = self.integers(w, "i16", min(32767, (1 << 30) // (9191 * depth)))
            scales = [s / 64 for s in scales]
        elif self.words:
            plain, weight_zero, stored = pick.choice([("i8", 0, "i8"), ("i8", 3, "i8"), ("ui8", 128, "u8")])
        kind = (per_axis(stored, axis, scales, weight_zero) if each else quant(stored, scales[0], weight_zero))
        case.constants.append((w, plain, kind, values))
        output = pick.choice(["u8", "u8", "i8", "f32", "i32", "i16"] + ["i16"] * 3 * self.words)
        products = [float(np.float32(scale) * np.float32(s)) for s in scales]
        if self.sums:
            output = pick.choice(["u8", "u8", "i8"])
        if link and not link[1]:
            output = storage
        if self.parts and output == "i32":
            output = "u8"
        if activation and activation[0] in FUNCTIONS and output not in ("u8", "i8"):
            activation = None  # of floats, levels without fused multiply-add have others
        if output == "i32":
            activation = None
            products = products[:1] if not each else products
            if each:  # a plain sum has one scale here
                output = "f32"
        if output != "i32" and pick.random() < 0.2:
            case.constants.append(([channels], "f32", "f32", self.floats([channels])))
        elif pick.random() < 0.7:
            kind = (per_axis("i32", 0, products, 0) if each else quant("i32", products[0], 0))
            values = self.data.integers(-2000, 2000, [channels]).astype(np.int32)
            case.constants.append(([channels], "i32", kind, values))
        spread = scale * np.mean(scales) * depth**0.5 * 40 * pick.choice([0.1, 1, 1, 5])
        spread = float(np.float32(spread)) if pick.random() < 0.95 else 1e-7  # nearly all saturate
        if output == "i16":
            spread /= 64
        zero = pick.choice([0, 128, 13, 255] if output == "u8" else [0, -128, 5])
        kind = {"f32": "f32", "i32": quant("i32", products[0], 0)}.get(output) or quant(output, spread, zero)
        residual = None
        if (output != "i32" and pick.random() < (0.1 if self.words and depth < 30 else 0.3)
                and (not link or link[1]) and not self.transposed):
            stored = pick.choice(["u8", "i8", "i16", "f32"])
            residual = ((y, "f32", self.floats(y) * 3) if stored == "f32" else
                        (y, quant(stored, self.scale(), pick.choice([0, 5])), self.integers(y, stored)))
        return activation, residual, (output, kind)
