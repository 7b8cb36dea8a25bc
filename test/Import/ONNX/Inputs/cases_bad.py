"""Models that must be rejected with one clear message."""
from models import case, model, node, x, y


@case
def cyclic():
    return model([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")], x(2), y())
