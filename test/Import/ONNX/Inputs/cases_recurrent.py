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
