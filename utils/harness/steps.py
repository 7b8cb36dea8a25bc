"""Counting by how many quantization steps outputs differ."""
import dataclasses

import numpy as np
import onnx
from onnx import numpy_helper


def output_steps(model):
    """For each graph output, the scale of the quantization that it ends in, or None."""
    graph = onnx.load(str(model)).graph
    constants = {t.name: t for t in graph.initializer}
    constants.update({n.output[0]: n.attribute[0].t for n in graph.node
                      if n.op_type == "Constant" and n.attribute and n.attribute[0].name == "value"})
    producer = {o: n for n in graph.node for o in n.output}
    result = []
    for output in graph.output:
        node = producer.get(output.name)
        while node is not None and node.op_type in ("Identity", "Reshape", "Flatten", "Transpose",
                                                    "Squeeze", "Unsqueeze"):
            node = producer.get(node.input[0])
        scale = None
        if node is not None and node.op_type == "DequantizeLinear" and node.input[1] in constants:
            values = numpy_helper.to_array(constants[node.input[1]])
            scale = float(values.ravel()[0]) if values.size == 1 else None
        result.append(scale)
    return result


@dataclasses.dataclass
class Count:
    """How many elements differ by no step, one, two and more."""
    none: int = 0
    one: int = 0
    two: int = 0
    more: int = 0

    @property
    def total(self):
        return self.none + self.one + self.two + self.more

    @property
    def beyond_one(self):
        """Percent that differs by more than one step."""
        return 100 * (self.two + self.more) / max(self.total, 1)

    @property
    def beyond_two(self):
        return 100 * self.more / max(self.total, 1)

    def __add__(self, other):
        return Count(self.none + other.none, self.one + other.one,
                     self.two + other.two, self.more + other.more)

    def good(self):
        """Within one step on 99.9 % of the elements, and two at most."""
        return self.total > 0 and self.more == 0 and self.beyond_one <= 0.1

    def __str__(self):
        return (f"{self.none} equal, {self.one} one step, {self.two} two steps, "
                f"{self.more} more, of {self.total}")


def count(a, b, step):
    distance = np.rint(np.abs(a.astype(np.float64) - b.astype(np.float64)) / step)
    return Count(*(int(np.count_nonzero(x)) for x in
                   (distance == 0, distance == 1, distance == 2, ~(distance <= 2))))
