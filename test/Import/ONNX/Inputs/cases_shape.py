"""Models of operators that move elements or make shapes."""
import numpy as np
from onnx import TensorProto, helper

from cases_ops import many
from models import BOOL, F32, I64, I8, I32, U8, case, model, node, tensor, value, x, y


def ints(name, *values):
    return tensor(name, list(values), np.int64)


@case
def reshapes():
    nodes = [
        node("Reshape", "x shape", "r"), node("Flatten", "x", "f", axis=-1),
        node("Flatten", "x", "f0", axis=0), node("Transpose", "x", "t"),
        node("Transpose", "x", "p", perm=[1, 0, 2]),
        node("Unsqueeze", "x ax", "u"), node("Squeeze", "u", "s"), node("Squeeze", "u ax", "sa"),
        node("Concat", "x x", "c", axis=-1), node("Expand", "k three", "e"),
        node("Tile", "x reps", "tile"), node("Split", "x", "s1 s2", axis=2),
        node("Split", "x parts", "s3 s4", axis=2)]
    return many(nodes, x(2, 3, 4) + [value("k", F32, [3, 1])],
                [ints("shape", 0, -1, 2), ints("ax", 0, -1), ints("three", 2, 1, 4),
                 ints("reps", 1, 2, 3), ints("parts", 1, 3)])


@case
def reshapes_11():
    return many([node("Unsqueeze", "x", "u", axes=[0, 3]), node("Squeeze", "u", "s", axes=[0]),
                 node("Split", "x", "a b", axis=1, split=[1, 2])], x(2, 3), opset=11)


@case
def split_18():
    return many([node("Split", "x", "a b c", num_outputs=3)], x(8), opset=18)


@case
def slices():
    nodes = [node("Slice", "x s e", "plain"), node("Slice", "x s2 e2 a2 st2", "steps"),
             node("Slice", "x far near a2 minus", "back"), node("Slice", "x e s", "empty")]
    big = 2**63 - 1
    return many(nodes, x(5, 6),
                [ints("s", 1, 0), ints("e", big, -1), ints("s2", -3), ints("e2", big), ints("a2", 1),
                 ints("st2", 2), ints("far", big), ints("near", -big), ints("minus", -2)])


@case
def slices_9():
    return many([node("Slice", "x", "y", starts=[1], ends=[3], axes=[1])], x(4, 5), opset=9)


@case
def pads():
    nodes = [node("Pad", "x p v", "c"), node("Pad", "x p", "r", mode="reflect"),
             node("Pad", "x p", "e", mode="edge"), node("Pad", "x p1 _ ax", "w", mode="wrap"),
             node("Pad", "x none", "same")]
    return many(nodes, x(3, 4), [ints("p", 1, 0, 0, 2), tensor("v", 1.5), ints("p1", 1, 1),
                                 ints("ax", -1), ints("none", 0, 0, 0, 0)], opset=19)


@case
def pads_2():
    return many([node("Pad", "x", "y", pads=[0, 1, 0, 1], value=2.0)], x(3, 4), opset=2 + 5)


@case
def depth():
    return many([node("DepthToSpace", "x", "dcr", blocksize=2),
                 node("DepthToSpace", "x", "crd", blocksize=2, mode="CRD"),
                 node("SpaceToDepth", "x", "s2d", blocksize=2)], x(1, 8, 2, 4))


@case
def gathers():
    nodes = [node("Gather", "x i", "g", axis=1), node("GatherElements", "x j", "ge", axis=1),
             node("GatherND", "x j", "gnd"), node("OneHot", "i depth hot", "oh"),
             node("Trilu", "x", "up"), node("Trilu", "x k", "low", upper=0),
             node("EyeLike", "x", "eye"), node("Gather", "x last", "one", axis=1)]
    return many(nodes, x(3, 4) + [value("i", I64, [2])],
                [tensor("j", [[0, 1], [2, 3]], np.int64), ints("depth", 3),
                 tensor("hot", [0.0, 5.0]), tensor("k", -1, np.int64), tensor("last", -1, np.int64)], opset=14)


@case
def non_zero():
    """Of constants, one of them computed from a shape."""
    nodes = [node("NonZero", "k", "places"), node("Shape", "x", "s"), node("ConstantOfShape", "s", "ones",
             value=tensor("", [1], np.int64)), node("NonZero", "ones", "all"), node("NonZero", "b", "none")]
    return many(nodes, x(2, 3), [tensor("k", [[0.0, -0.0, 2.0], [0.5, 0.0, -1.0]]), tensor("b", [False, False], bool)])


@case
def shape_chain():
    """A PyTorch flatten: Shape, Gather, Unsqueeze, Concat, Reshape."""
    nodes = [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n ax", "n1"),
             node("Concat", "n1 minus", "to", axis=0), node("Reshape", "x to", "y")]
    return model(nodes, x(2, 3, 4), y(), [tensor("zero", 0, np.int64), ints("ax", 0), ints("minus", -1)])


@case
def computed_shapes():
    """Half of the extents, by float arithmetic, as a slice's end."""
    nodes = [node("Shape", "x", "s"), node("Cast", "s", "f", to=F32), node("Mul", "f half", "h"),
             node("Floor", "h", "fl"), node("Cast", "fl", "e", to=I64), node("Slice", "x zeros e", "y"),
             node("Size", "x", "size"), node("ConstantOfShape", "e", "ones", value=tensor("", [7], np.int32)),
             node("Range", "a b c", "range"),
             node("Constant", "", "k", value_floats=[1.0, 2.0]), node("Constant", "", "n", value_int=3)]
    return many(nodes, x(4, 6), [tensor("half", 0.5), ints("zeros", 0, 0), tensor("a", 1, np.int64),
                                 tensor("b", 8, np.int64), tensor("c", 3, np.int64)])


@case
def reverse_sequences():
    return many([node("ReverseSequence", "x n", "t", time_axis=0, batch_axis=1),
                 node("ReverseSequence", "x m", "b", time_axis=1, batch_axis=0)],
                x(3, 4, 2) + [value("m", I64, [3])], [ints("n", 1, 3, 0, 2)], opset=10)


@case
def scatters():
    nodes = [node("ScatterElements", "x i u", "e", axis=-1), node("ScatterElements", "x i u", "m", reduction="max"),
             node("ScatterND", "x p v", "n"), node("ScatterND", "x p v", "a", reduction="add")]
    inputs = x(3, 4) + [value("i", I64, [2, 4]), value("u", F32, [2, 4]), value("p", I64, [5, 1]),
                        value("v", F32, [5, 4])]
    return many(nodes, inputs, opset=18)


@case
def scatter_9():
    return many([node("Scatter", "x i u", "y", axis=1)],
                x(3, 4) + [value("i", I32, [3, 9]), value("u", F32, [3, 9])], opset=9)


@case
def grid_samples():
    nodes = [node("GridSample", "x g", "plain"),
             node("GridSample", "x g", "near", mode="nearest", padding_mode="border", align_corners=1),
             node("GridSample", "x g", "cubic", mode="cubic", padding_mode="reflection")]
    return many(nodes, x(1, 2, 5, 6) + [value("g", F32, [1, 3, 4, 2])], opset=20)


@case
def grid_sample_16():
    return many([node("GridSample", "x g", "l", mode="bilinear"), node("GridSample", "x g", "c", mode="bicubic")],
                x(1, 2, 5, 6) + [value("g", F32, [1, 3, 4, 2])], opset=16)


@case
def roi_aligns():
    return many([node("RoiAlign", "x r n", "a", output_height=2, output_width=3, sampling_ratio=2, spatial_scale=0.5),
                 node("RoiAlign", "x r n", "b", coordinate_transformation_mode="output_half_pixel", mode="max")],
                x(2, 3, 5, 6) + [value("r", F32, [4, 4]), value("n", I64, [4])], opset=16)


@case
def roi_align_10():
    return many([node("RoiAlign", "x r n", "y")], x(2, 3, 5, 6) + [value("r", F32, [4, 4]), value("n", I64, [4])], opset=10)


@case
def resizes():
    nodes = [
        node("Resize", "x _ s2", "near", nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
        node("Resize", "x _ _ sizes", "lin", mode="linear"),
        node("Resize", "x _ _ sizes", "cub", mode="cubic", coordinate_transformation_mode="align_corners",
             cubic_coeff_a=-0.5),
        node("Resize", "x _ _ hw", "keep", axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
        node("Resize", "x _ _ own", "same")]
    return many(nodes, x(1, 2, 4, 6),
                [tensor("s2", [1, 1, 2, 2]), ints("sizes", 1, 2, 8, 9), ints("hw", 8, 9), ints("own", 1, 2, 4, 6)],
                opset=18)


@case
def resize_10():
    """Reducing and enlarging round to different sides."""
    return many([node("Resize", "x s", "y")], x(1, 1, 4, 6), [tensor("s", [1, 1, 2, 0.5])], opset=10)


@case
def upsample_9():
    return many([node("Upsample", "x s", "y", mode="linear")], x(1, 1, 4, 6), [tensor("s", [1, 1, 2, 2])], opset=9)


@case
def upsample_7():
    return many([node("Upsample", "x", "y", scales=[1.0, 1.0, 2.0, 2.0])], x(1, 1, 4, 6), opset=7)


@case
def squeeze_no_axes():
    """An empty list of axes: all dimensions of 1."""
    return model([node("Squeeze", "x k", "y")], x(1, 2, 1, 3), y(), [tensor("k", [], np.int64)])
