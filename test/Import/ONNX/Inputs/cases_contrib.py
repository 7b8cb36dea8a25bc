"""Operators of com.microsoft: attention with masks and caches, fused activations."""
import numpy as np

from models import F32, I32, I64, U8, case, model, node, tensor, value, y


def contrib(op, inputs, outputs="y", constants=(), **attributes):
    """One node; `inputs` by name: a shape (float32), or a shape and an element type; None is left out."""
    names = " ".join(name if shape is not None else "_" for name, shape in inputs.items())
    given = [value(name, *(shape if isinstance(shape, tuple) else (F32, shape)))
             for name, shape in inputs.items() if shape is not None and name not in {c.name for c in constants}]
    others = [value(name, F32, None) for name in outputs.split()[1:]]
    return model([node(op, names, outputs, domain="com.microsoft", **attributes)], given, y() + others, constants,
                 opset=17, domains=["com.microsoft"])


def projected(mask=None, bias=(24,), past=None, **attributes):
    inputs = dict(x=[2, 3, 8], w=[8, 24], b=list(bias), mask=mask and (I32, mask), past=past)
    return contrib("Attention", inputs, "y present" if past else "y", num_heads=2, **attributes)


@case
def masked_causal():
    return projected([2, 3], unidirectional=1)


@case
def projected_bias():
    return projected(bias=[1])


@case
def projected_shared():
    return projected(past=[2, 2, 2, 4, 4], past_present_share_buffer=1)


@case
def integer_projected_bias():
    inputs = dict(x=(U8, [2, 3, 8]), w=(U8, [8, 24]), b=[1, 24], xs=[], ws=[])
    return contrib("QAttention", inputs, num_heads=2)


@case
def padded_keys():
    return contrib("MultiHeadAttention", dict(q=[2, 3, 8], k=[2, 3, 8], v=[2, 3, 8], b=None, mask=(I32, [2, 3])),
                   num_heads=2)


def with_past(key, value):
    return contrib("MultiHeadAttention", dict(q=[1, 2, 8], k=[1, 2, 8], v=[1, 2, 8], b=None, mask=None, bias=None, pk=key,
                                              pv=value), num_heads=2)


@case
def past_key_alone():
    return with_past([1, 2, 3, 4], None)


@case
def past_of_two_dimensions():
    return with_past([3, 8], [3, 8])


def cached(batch=1, length=1, past=(2, 12, 4), total=8, key=None, past_value=None, bias=None, **attributes):
    """Four query heads to two key heads of size 4."""
    inputs = dict(q=[batch, length, 16], k=key or [batch, length, 8], v=[batch, length, 8],
                  pk=[batch, *past], pv=past_value or [batch, *past], last=(I32, [batch]), total=[])
    if bias:
        inputs.update(cos=None, sin=None, at=None, bias=bias)
    return contrib("GroupQueryAttention", inputs, "y ko vo", [tensor("total", total, np.int32)],
                   **{**dict(num_heads=4, kv_num_heads=2), **attributes})


@case
def cached_batch():
    return cached(batch=64)


@case
def cached_bias():
    return cached(bias=[1, 1, 1, 8])


@case
def cached_no_window():
    return cached(local_window_size=0)


@case
def cached_heads():
    """1 + 2 x (2^63 - 1) overflows, and 2 + 2 x (2^63 - 1) wraps to 0."""
    return contrib("GroupQueryAttention", dict(q=[1, 1, 16], k=None, v=None, pk=None, pv=None, last=(I32, [1]),
                                               total=[]), "y ko vo", [tensor("total", 1, np.int32)],
                   num_heads=2, kv_num_heads=2**63 - 1)


@case
def cached_key():
    return cached(key=[1, 2, 8])


@case
def cached_past():
    return cached(past=(3, 12, 4))


@case
def cached_past_value():
    return cached(past_value=[1, 2, 11, 4])


@case
def cached_bias_shape():
    return cached(bias=[1, 1, 1, 12])


@case
def cached_total():
    return cached(total=2**27)


@case
def projected_widths():
    """Their sum wraps to the number of columns."""
    return projected(qkv_hidden_sizes=[2**63 - 1, 2**63 - 1, 26])


def fused_gemm(activation, **attributes):
    return contrib("FusedGemm", dict(a=[2, 4], b=[4, 3]), activation=activation, **attributes)


@case
def fused_beta_only():
    return fused_gemm("HardSigmoid", activation_beta=0.25)


@case
def fused_alpha_beta():
    return fused_gemm("HardSigmoid", activation_alpha=0.5, activation_beta=0.25)


@case
def fused_unknown():
    return fused_gemm("Sine")


@case
def rotary_odd():
    tables = [tensor(name, np.ones((9, 2))) for name in ("cos", "sin")]
    return contrib("RotaryEmbedding", dict(q=[1, 2, 3, 4], at=(I64, [1, 3]), cos=[], sin=[]), constants=tables,
                   rotary_embedding_dim=3)
