"""Prints a function that halves the concatenation of a value with itself, N times."""
import sys

steps = int(sys.argv[1])
small, large = "tensor<4xf32>", "tensor<8xf32>"
print(f"func.func @main(%x: {small}) -> {small} {{")
value = "%x"
for i in range(steps):
    print(f"  %c{i} = qnn.concat {value}, {value} {{axis = 0 : i64}} : ({small}, {small}) -> {large}")
    print(f"  %s{i} = qnn.slice %c{i} {{starts = array<i64: 2>, sizes = array<i64: 4>, steps = array<i64: 1>}} : "
          f"({large}) -> {small}")
    value = f"%s{i}"
quantized = "tensor<4x!quant.uniform<u8:f32, 0.5:10>>"
print(f"  %q = qnn.quantize {value} : ({small}) -> {quantized}")
print(f"  %y = qnn.dequantize %q : ({quantized}) -> {small}")
print(f"  return %y : {small}\n}}")
