"""Attention, rotary embeddings, Einsum, block-quantized weights."""
import numpy as np
from onnx import TensorProto, helper

from models import F32, I32, I64, U8, case, model, node, tensor, value, x, y


def inputs(**shapes):
    return [value(name, F32, shape) for name, shape in shapes.items()]


@case
def attention_grouped():
    """Four query heads to two key heads, packed; a causal mask behind a past."""
    return model([node("Attention", "q k v _ pk pv", "y ko vo", q_num_heads=4, kv_num_heads=2, is_causal=1)],
                 inputs(q=[1, 3, 32], k=[1, 3, 16], v=[1, 3, 16], pk=[1, 2, 5, 8], pv=[1, 2, 5, 8]),
                 y() + [value("ko", F32, None), value("vo", F32, None)], opset=24)


@case
def attention_mask():
    """Scores are capped, then masked; the mask is shorter than the keys."""
    return model([node("Attention", "q k v m", "y _ _ s", scale=0.5, softcap=2.0, qk_matmul_output_mode=1)],
                 inputs(q=[1, 2, 3, 8], k=[1, 2, 4, 8], v=[1, 2, 4, 8], m=[3, 2]),
                 y() + [value("s", F32, None)], opset=24)


@case
def attention_heads():
    return model([node("Attention", "q k v", "y", q_num_heads=3, kv_num_heads=3)],
                 inputs(q=[1, 3, 32], k=[1, 3, 32], v=[1, 3, 32]), y(), opset=24)


@case
def attention_shapes():
    return model([node("Attention", "q k v", "y")], inputs(q=[1, 3, 2, 8], k=[1, 2, 2, 8], v=[1, 2, 2, 8]), y(),
                 opset=24)


@case
def attention_masked_shape():
    return model([node("Attention", "q k v m", "y")],
                 inputs(q=[1, 2, 3, 8], k=[1, 2, 4, 8], v=[1, 2, 4, 8], m=[5, 2, 3, 4]), y(), opset=24)


@case
def rotary():
    nodes = [node("RotaryEmbedding", "x c s p", "y", rotary_embedding_dim=4),
             node("RotaryEmbedding", "x c s p", "z", interleaved=1)]
    return model(nodes, x(2, 3, 5, 8) + [value("p", I64, [2, 5])], y() + [value("z", F32, None)],
                 [tensor("c", np.ones((9, 4))), tensor("s", np.ones((9, 4)))], opset=23)


def einsum_of(equation, *shapes):
    names = "abcd"[:len(shapes)]
    return model([node("Einsum", " ".join(names), "y", equation=equation)],
                 inputs(**dict(zip(names, shapes))), y(), opset=12)


@case
def einsum_product():
    return einsum_of("bsd,dhk -> bhsk", [2, 3, 4], [4, 5, 6])


@case
def einsum_batch():
    return einsum_of("...ij,...kj->...ik", [2, 3, 4], [2, 5, 4])


@case
def einsum_diagonal():
    return einsum_of("bii", [2, 3, 3])


@case
def einsum_malformed():
    return einsum_of("b1,b->b", [2, 3], [2])


@case
def einsum_rank():
    return einsum_of("bij->b", [2, 3])


@case
def einsum_unknown():
    return einsum_of("bi->bk", [2, 3])


@case
def running():
    nodes = [node("CumSum", "x axis", "y", exclusive=1), node("CumSum", "x axis", "z", reverse=1)]
    return model(nodes, x(2, 5), y() + [value("z", F32, None)], [tensor("axis", 1, np.int64)], opset=14)


def n_bits(scales=(2, 2), more=(), **attributes):
    packed = np.arange(2 * 2 * 8, dtype=np.uint8).reshape(2, 2, 8)
    given = dict(K=20, N=2, bits=4, block_size=16)
    given.update(attributes)
    operands = ["x", "q", "s"] + [t.name for t in more]
    if len(more) > 1:  # g_idx stands between the zero points and the bias
        operands.insert(4, "")
    return model([helper.make_node("MatMulNBits", operands, ["y"], name="nbits", domain="com.microsoft", **given)],
                 x(3, 20), y(), [tensor("q", packed, np.uint8), tensor("s", np.full(scales, 0.5)), *more], opset=17,
                 domains=["com.microsoft"])


@case
def blocks_of_four_bits():
    return n_bits()


@case
def blocks_with_zero_points():
    return n_bits(more=[tensor("z", [0x21, 0x03], np.uint8), tensor("b", [1.0, 2.0])], accuracy_level=4)


@case
def blocks_of_three_bits():
    return n_bits(bits=3)


@case
def blocks_without_scale():
    return n_bits(scales=(2, 1))


@case
def blocks_of_a_gpu():
    return n_bits(weight_prepacked=1)


@case
def blocks_of_other_depth():
    return n_bits(K=24)


@case
def attention_half():
    """com.microsoft.Attention in float16 with a mask of integers."""
    constants = [tensor("w", np.ones((8, 24)), np.float16), tensor("b", np.ones(24), np.float16)]
    return model([node("Attention", "x w b m", "y", num_heads=2, domain="com.microsoft")],
                 [value("x", TensorProto.FLOAT16, [2, 3, 8]), value("m", I32, [2, 3])],
                 y(TensorProto.FLOAT16), constants)


@case
def attention_runtime_length():
    """com.microsoft.GroupQueryAttention whose present has an unknown length."""
    return model([node("GroupQueryAttention", "x _ _ _ _ n t", "y", num_heads=2, kv_num_heads=1,
                       domain="com.microsoft")],
                 x(1, 3, 64) + [value("n", I32, [1]), value("t", I32, [])], y())
