"""Models of operators and of the graph's structure."""
import numpy as np

from models import BOOL, F32, I64, I8, I32, U8, case, model, node, tensor, value, x, y


@case
def conv_relu():
    return model(
        [node("Conv", "x w b", "c", auto_pad="SAME_UPPER", strides=[2, 2]), node("Relu", "c", "y")],
        x(1, 3, 8, 8), y(),
        [tensor("w", np.ones((4, 3, 3, 3))), tensor("b", [1, 2, 3, 4])])
