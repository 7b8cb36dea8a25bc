#ifndef QCC_QUANTIZATION_PASSES_TD
#define QCC_QUANTIZATION_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def QuantizeDynamic : Pass<"qnn-quantize-dynamic"> {
  let summary = "Matrix products with 8-bit weights and run-time activation ranges";
  let description = [{
    A float `qnn.matmul` with a constant two-dimensional right-hand side
    becomes

    ```mlir
    %q, %s, %z = qnn.dynamic_quantize %x
    %acc = qnn.matmul_integer %q, %w, %z        // %w: i8, symmetric per column
    %t = qnn.binary mul %s, %sw                 // scale per column
    %y = qnn.dynamic_dequantize %acc, %t
    ```

    followed by bias, residual and activation in float. Products whose weights
    have fewer than `min-weights` elements stay float: quantizing their
    activations costs more than it saves.
  }];
  let options = [
    Option<"minWeights", "min-weights", "int64_t", "4096",
           "Smallest number of weights worth quantizing">
  ];
  let statistics = [
    Statistic<"numQuantized", "num-quantized", "Products put on integers">
  ];
}

def QuantizeWeights : Pass<"qnn-quantize-weights"> {
  let summary = "Quantize constant weights and biases of ops with quantized input";
  let description = [{
    Every op whose input comes from `qnn.dequantize` of an 8-bit tensor gets
    its constant float weight as `qnn.dequantize` of an `i8` constant in
    [-127, 127], symmetric, one scale per output channel (`max |w| / 127`), and
    its constant bias as one of an `i32` constant with scale `sx * sw`, so that
    `qnn-legalize-qdq` can fold both.

    A channel whose bias would leave 32 bits gets a larger scale; a channel of
    zeros gets one that resolves its bias. Weights that are not finite stay
    float, and those of ops with the attribute `qnn.keep_float`.

    ```mlir
    %0 = qnn.conv %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>, tensor<4xf32>) -> ...
    // becomes
    %wq = qnn.constant ... : tensor<4x3x1x1xi8> as tensor<4x3x1x1x!quant.uniform<i8<-127:127>:f32:0, {...}>>
    %w = qnn.dequantize %wq
    ```
  }];
  let statistics = [
    Statistic<"numQuantized", "num-quantized", "Weights quantized">
  ];
}

#endif // QCC_QUANTIZATION_PASSES_TD
