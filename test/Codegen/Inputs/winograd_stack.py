"""Compiles a 3x3 convolution of so many channels for a level.

  winograd_stack.py PATH-OF-QCC-OPT SCRATCH LEVEL TARGET CHANNELS...

Fails where the compiler refuses a kernel for its stack, or where the first one does not
use Winograd's method.
"""
import pathlib
import subprocess
import sys

MODEL = """
func.func @main(%x: tensor<1x28x28x{0}xf32> {{qnn.name = "x"}}) -> (tensor<1x28x28x64xf32> {{qnn.name = "y"}}) {{
  %w = qnn.constant dense<1.0> : tensor<64x{0}x3x3xf32> as tensor<64x{0}x3x3xf32>
  %0 = qnn.conv %x, %w {{strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}} : (tensor<1x28x28x{0}xf32>, tensor<64x{0}x3x3xf32>) -> tensor<1x28x28x64xf32>
  return %0 : tensor<1x28x28x64xf32>
}}
"""


def main():
    opt, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    level, target, first = sys.argv[3:6]
    for channels in sys.argv[5:]:
        model, kernels = folder / "m.mlir", folder / "k.mlir"
        model.write_text(MODEL.format(channels))
        fma = str(level != "baseline").lower()
        subprocess.run([opt, model, "-o", kernels,
                        f"-pass-pipeline=builtin.module(qcc-generate-kernels{{level={level}}},"
                        f"qcc-plan-arena,func.func(qcc-expand-math{{fma={fma}}}))"], check=True)
        if "winograd" not in kernels.read_text() and channels == first:
            sys.exit(f"{level}, {channels} channels: another kernel")
        subprocess.run([opt.with_name("qcc-emit"), kernels, f"-target={target}", "-o", folder / "k.so"], check=True)


if __name__ == "__main__":
    main()
