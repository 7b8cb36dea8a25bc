#ifndef QCC_QUANTIZATION_PASSES_TD
#define QCC_QUANTIZATION_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def EqualizeChannels : Pass<"qnn-equalize-channels", "::mlir::ModuleOp"> {
  let summary = "Balance the channels of tensors between neighbouring layers";
  let description = [{
    Cross-layer equalization. Where the channels of a tensor come from a layer
    (through nothing but relu, leaky relu, and constants that scale or shift
    channels) and all its users are layers, channel `c` of the former is divided
    by a power of two and its rows in the latter are multiplied by it. The
    function stays the same to the last bit, but its channels get similar
    ranges, so that one scale resolves all of them.

    The power nearest to `a^alpha / w^(1-alpha)` is taken, with the largest
    weights `a` of the channel in front and `w` behind. (With largest
    activations for `a` this is SmoothQuant's migration: the driver's
    `-ptq=smooth`.)

    ```mlir
    %0 = qnn.matmul %x, %w1 {activation = #qnn.act<relu, 0.0, 0.0>}   // [[64.0, 1.0]]
    %1 = qnn.matmul %0, %w2                                           // [[1.0], [1.0]]
    // becomes
    %0 = qnn.matmul %x, %w1 {activation = #qnn.act<relu, 0.0, 0.0>}   // [[8.0, 1.0]]
    %1 = qnn.matmul %0, %w2                                           // [[8.0], [1.0]]
    ```
  }];
  let options = [
    Option<"alpha", "alpha", "double", "0.5",
           "How much of the difference goes to the layers behind">
  ];
  let statistics = [
    Statistic<"numEqualized", "num-equalized", "Tensors with balanced channels">
  ];
}

def QuantizeBlocks : Pass<"qnn-quantize-blocks"> {
  let summary = "Weights of matrix products in blocks of few bits";
  let description = [{
    A float `qnn.matmul` with a constant two-dimensional right-hand side becomes
    a `qnn.block_matmul`: `bits` bits for each weight, rounded to nearest, and
    for each `block` of neighbours along the depth the scale with the least
    squared error. Bias, residual and activation follow as ops of their own.
    Products whose weights have fewer than `min-weights` elements stay as they
    are.

    ```mlir
    %0 = qnn.matmul %x, %w {transpose_rhs} : (tensor<3x64xf32>, tensor<24x64xf32>) -> ...
    // becomes
    %0 = qnn.block_matmul %x, %q, %s {bits = 4 : i64, block = 32 : i64, int8_input}
       : (tensor<3x64xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>) -> tensor<3x24xf32>
    ```
  }];
  let options = [
    Option<"bits", "bits", "int64_t", "4", "Bits of a weight: 4 or 8">,
    Option<"block", "block", "int64_t", "32", "Weights that share a scale">,
    Option<"int8Input", "int8-input", "bool", "true",
           "Quantize the input, too, while the model runs">,
    Option<"minWeights", "min-weights", "int64_t", "4096",
           "Smallest number of weights worth quantizing">
  ];
  let statistics = [
    Statistic<"numQuantized", "num-quantized", "Products with weights in blocks">
  ];
}

def QuantizeDynamic : Pass<"qnn-quantize-dynamic"> {
  let summary = "Matrix products with 8-bit weights and run-time activation ranges";
  let description = [{
    A float `qnn.matmul` with a constant two-dimensional right-hand side
    becomes

    ```mlir
    %q, %s, %z = qnn.dynamic_quantize %x
    %acc = qnn.matmul_integer %q, %w, %z        // %w: i8, symmetric per column
    %t = qnn.binary mul %s, %sw                 // scale per column
    %c = qnn.cast %acc
    %y = qnn.binary mul %c, %t
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

def QuantizeRecurrence : Pass<"qnn-quantize-recurrence"> {
  let summary = "8-bit weights for recurrent layers";
  let description = [{
    The constant float weights of `qnn.recurrence` become `i8` in [-127, 127],
    symmetric, one scale per column of a gate (`max |w| / 127`); the op then
    quantizes its state at each step. Weights of less than `min-weights`
    elements and those that are not finite stay float.

    ```mlir
    %y, %h = qnn.recurrence gru %x, %w : (tensor<9x1x96xf32>, tensor<96x32xf32>) -> ...
    // becomes
    %wq = qnn.constant ... : tensor<96x32xi8> as tensor<96x32x!quant.uniform<i8<-127:127>:f32:0, {...}>>
    %y, %h = qnn.recurrence gru %x, %wq
    ```
  }];
  let options = [
    Option<"minWeights", "min-weights", "int64_t", "4096",
           "Smallest number of weights worth quantizing">
  ];
  let statistics = [
    Statistic<"numQuantized", "num-quantized", "Layers put on integers">
  ];
}

def QuantizeWeights : Pass<"qnn-quantize-weights"> {
  let summary = "Quantize constant weights and biases of ops with quantized input";
  let description = [{
    Every op whose input comes from `qnn.dequantize` of an 8-bit tensor gets
    its constant float weight as `qnn.dequantize` of an `i8` constant in
    [-127, 127], symmetric, one scale per output channel (`max |w| / 127`), and
    its constant bias as one of an `i32` constant with scale `sx * sw`, so that
    `qnn-legalize-qdq` can fold both. Behind a 16-bit tensor weights take 16
    bits, with the finest scale of each channel for which its sums fit in 32.

    A channel whose bias would leave 32 bits gets a larger scale; a channel of
    zeros gets one that resolves its bias. Weights that are not finite stay
    float, and those of ops with the attribute `qnn.keep_float`.

    `clip` chooses the largest weight of a channel that is not clipped: `max`
    (all), `mse` (least squared error, searched) or `octav` (the same by a fixed
    point iteration). Where calibration has attached the integers of a weight and
    their scales (`qnn.rounded_weights`, `qnn.weight_scales`), 8-bit weights take
    these, and `qnn.bias_correction` is added to the bias. The attributes are removed.

    ```mlir
    %0 = qnn.conv %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>, tensor<4xf32>) -> ...
    // becomes
    %wq = qnn.constant ... : tensor<4x3x1x1xi8> as tensor<4x3x1x1x!quant.uniform<i8<-127:127>:f32:0, {...}>>
    %w = qnn.dequantize %wq
    ```
  }];
  let options = [
    Option<"clip", "clip", "std::string", "\"max\"",
           "Range of the weights of a channel: max, mse or octav">
  ];
  let statistics = [
    Statistic<"numQuantized", "num-quantized", "Weights quantized">
  ];
}

#endif // QCC_QUANTIZATION_PASSES_TD
