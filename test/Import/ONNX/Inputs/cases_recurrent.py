"""LSTM, GRU, RNN and what ONNX Runtime's tools make of them."""
import numpy as np
from onnx import helper

from models import F32, I32, I8, case, model, node, tensor, value, y

T, N, I, H = 4, 2, 3, 5


def layer(op, gates, inputs="x W R", outputs="y h", directions=1, batch_first=False, given=(), opset=22,
          extra=(), **attributes):
    shape = [N, T, I] if batch_first else [T, N, I]
    ramp = lambda *dims: np.arange(np.prod(dims), dtype=np.float32).reshape(dims) / 64
    constants = [tensor("W", ramp(directions, gates * H, I)), tensor("R", ramp(directions, gates * H, H)),
                 tensor("B", ramp(directions, 2 * gates * H)), *extra]
    results = [value(n, F32, None) for n in outputs.split() if n != "_"]
    return model([node(op, inputs, outputs, hidden_size=H, **attributes)],
                 [value("x", F32, shape), *given], results, constants, opset=opset)


@case
def lstm():
    return layer("LSTM", 4, outputs="y h c")


@case
def lstm_bias_only_last():
    return layer("LSTM", 4, "x W R B", outputs="_ h")


@case
def lstm_everything():
    states = [N, 2, H]
    return layer("LSTM", 4, "x W R B n h0 c0 P", "y h c", directions=2, batch_first=True, layout=1,
                 direction="bidirectional", clip=3.0, input_forget=1,
                 activations=["Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Affine", "ScaledTanh"],
                 activation_alpha=[0.25, 2.0], activation_beta=[0.75],
                 given=[value("n", I32, [N]), value("h0", F32, states), value("c0", F32, states)],
                 extra=[tensor("P", np.ones((2, 3 * H)))])


@case
def full_lengths():
    """Lengths that are known and say nothing."""
    return layer("LSTM", 4, "x W R _ n", extra=[tensor("n", [T, T], np.int32)])


@case
def gru_linear():
    return layer("GRU", 3, "x W R B", linear_before_reset=1, direction="reverse")


@case
def rnn():
    return layer("RNN", 1, "x W R", activations=["Relu"], opset=9)


@case
def dynamic_lstm():
    """As ONNX Runtime's dynamic quantization writes it."""
    columns = 4 * H
    scales = lambda name: tensor(name, np.linspace(0.01, 0.02, columns)[None])
    made = layer("LSTM", 4, opset=17)
    nodes = [helper.make_node("DynamicQuantizeLSTM", "x Wq Rq B".split() + [""] * 4 + "sw zw sr zr".split(),
                              ["y", "h"], name="lstm", domain="com.microsoft", hidden_size=H)]
    constants = [tensor("Wq", np.ones((1, I, columns)), np.int8), tensor("Rq", np.ones((1, H, columns)), np.int8),
                 tensor("B", np.ones((1, 2 * columns))), scales("sw"), scales("sr"),
                 tensor("zw", np.zeros((1, columns)), np.int8), tensor("zr", np.zeros((1, columns)), np.int8)]
    return model(nodes, list(made.graph.input), list(made.graph.output), constants, opset=17,
                 domains=["com.microsoft"])


@case
def lstm_direction():
    return layer("LSTM", 4, direction="sideways")


@case
def lstm_activation():
    return layer("LSTM", 4, activations=["Sigmoid", "Tanh", "Frobnicate"])


@case
def lstm_activations():
    return layer("LSTM", 4, activations=["Sigmoid"])


@case
def lstm_hidden():
    made = layer("LSTM", 4)
    made.graph.node[0].attribute[0].i = 7
    return made


@case
def lstm_weights():
    return layer("LSTM", 4, extra=[tensor("V", np.ones((1, 3, 3)))], inputs="x V R")


@case
def lstm_rank():
    return layer("LSTM", 4, extra=[tensor("V", np.ones((3, 3)))], inputs="x V R")


def quantized(op="QuantizedLSTM_1", operands="X R R_scale R_zero_point initial_h sequence_lens", gates=4,
              outputs="y h c", columns=None, **attributes):
    """A layer of a file that qcc wrote; the body of its function is for other runtimes."""
    columns = columns or gates * H
    known = {"X": "x", "R": "Rq", "R_scale": "sr", "R_zero_point": "zr", "initial_h": "h0", "sequence_lens": "n"}
    names = operands.split()
    constants = [tensor("Rq", np.arange(H * columns).reshape(H, columns) % 120, np.int8),
                 tensor("sr", np.linspace(0.01, 0.02, columns)), tensor("zr", np.ones(columns), np.int8)]
    body = [helper.make_node("Identity", ["X"], [name]) for name in ("a", "b", "c")]
    function = helper.make_function("qcc", op, names, ["a", "b", "c"], body, [helper.make_opsetid("", 13)],
                                    ["operands", *attributes])
    call = helper.make_node(op, [known.get(n, "x") for n in names], outputs.split(), "lstm", domain="qcc",
                            operands=names, **attributes)
    return model([call], [value("x", F32, [T, N, columns]), value("h0", F32, [N, H]), value("n", I32, [N])],
                 [value(n, F32, None) for n in outputs.split()], constants, domains=["qcc"], functions=[function])


@case
def quantized_lstm():
    return quantized(clip=3.0, direction="reverse", input_forget=1)


@case
def quantized_gru():
    return quantized("QuantizedGRU", "R X R_scale", 3, "y h", linear_before_reset=1)


@case
def quantized_operand():
    return quantized(operands="X R R_scale W")


@case
def quantized_operands():
    return quantized(operands="X R initial_h")


@case
def quantized_missing():
    made = quantized(operands="initial_h R_scale R X R_zero_point")
    made.graph.node[0].input[3] = ""
    return made


@case
def quantized_attribute():
    return quantized(operands="X R R_scale", input_remember=1)


@case
def quantized_input_forget():
    return quantized("QuantizedGRU", "X R R_scale", 3, "y h", input_forget=1)


@case
def quantized_version():
    made = quantized(operands="X R R_scale")
    made.opset_import[1].version = 2
    return made


def constant_lengths(lengths, dtype=np.int32):
    """Lengths that are all full, known to the compiler."""
    made = quantized(operands="X R R_scale sequence_lens")
    made.graph.input.pop()
    made.graph.initializer.append(tensor("n", lengths, dtype))
    return made


@case
def quantized_lengths():
    return constant_lengths([T] * (N + 1))


@case
def quantized_lengths_empty():
    return constant_lengths([])


@case
def quantized_lengths_float():
    return constant_lengths([T] * N, np.float32)


@case
def quantized_directions():
    return quantized(direction="bidirectional")


@case
def quantized_hidden():
    return quantized(hidden_size=4)


@case
def quantized_columns():
    return quantized(columns=12)


@case
def other_function():
    """A function of qcc's domain that is none of its operators is inlined."""
    return quantized("Something_2")
