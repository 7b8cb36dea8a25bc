#ifndef QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD
#define QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def AssignLayout : Pass<"qnn-assign-layout"> {
  let summary = "Put convolutions and pools on channels-last tensors";
  let description = [{
    Spatial ops of any rank get `layout = nhwc`. Ops that can work on any order
    of dimensions (elementwise, concat, slice, pad, resize, reductions, ...)
    follow, with their axes and constants permuted, and so do reshapes that
    split or join dimensions stored side by side; transposes are absorbed where
    they only rename dimensions. What remains are transposes at the edges of
    the graph and around true reshapes; those that move only dimensions of
    extent 1 are reshapes, and a matrix product with the flattened image gets
    its constant rows permuted instead. A graph without spatial ops is left
    alone.
  }];
}

def AssignStorage : Pass<"qnn-assign-storage"> {
  let summary = "Give all activations of 8 or 16 bits one signedness";
  let description = [{
    Turns `u8` activations into `s8` or the reverse, whichever the target's dot
    product wants, by a shift of storage values and zero points by 128. Exact:
    every real value stays. Weights keep their storage; constants that act as
    activations and tables of `qnn.lut` are converted; tensors that come from or
    go to plain integers (`qnn.storage_cast`), function arguments and results
    keep theirs and are shifted by a `qnn.requantize`. Activations of 16 bits
    become signed on every target.
  }];
  let options = [
    Option<"activations", "activations", "::qcc::qnn::ActivationStorage",
           "::qcc::qnn::ActivationStorage::Unsigned",
           "Storage of the activations", [{::llvm::cl::values(
             clEnumValN(::qcc::qnn::ActivationStorage::Unsigned, "unsigned", "u8"),
             clEnumValN(::qcc::qnn::ActivationStorage::Signed, "signed", "s8"))}]>
  ];
}

def ConvertInput : Pass<"qnn-convert-input", "::mlir::ModuleOp"> {
  let summary = "Let a float input of the model take bytes";
  let description = [{
    `format` is `NAME:u8[:nhwc][,scale=S][,mean=A/B/C][,std=A/B/C]`: the input
    NAME becomes an unsigned 8-bit one, with `nhwc` in channels-last order, and
    the model computes `(x * scale - mean) / std` per channel first. The bytes
    are a quantized tensor of scale 1, so that later passes fold conversion and
    normalization into what follows: one table where all channels agree.

    ```mlir
    // before
    func.func @main(%x: tensor<1x3x8x8xf32> {qnn.name = "x"})
    // after qnn-convert-input{format="x:u8:nhwc,scale=0.0039"}
    func.func @main(%x: tensor<1x8x8x3xui8> {qnn.name = "x"}) {
      %0 = qnn.storage_cast %x : ... -> tensor<1x8x8x3x!quant.uniform<u8:f32, 1.0>>
      %1 = qnn.transpose %0 {permutation = array<i64: 0, 3, 1, 2>}
      %2 = qnn.dequantize %1
      %3 = qnn.binary mul %2, %factor
    ```
  }];
  let options = [Option<"format", "format", "std::string", "\"\"",
                        "the input and what it becomes">];
}

def FoldBatchNorm : Pass<"qnn-fold-batch-norm"> {
  let summary = "Fold batch normalization into weights and biases";
  let description = [{
    A batch normalization with constant parameters is an affine map of each
    channel; so are `qnn.binary` add, sub, mul and div with one constant per
    channel. Behind a convolution (of any group), a transposed convolution or a
    matrix product they move into its constant weights and bias; an addition
    needs no constant weights. Before a convolution without padding, or before
    a matrix product, they do too; with padding only a scale does. Weights that
    are quantized stay: their scales are the model's, and the bias would have to
    be rounded.

    A batch normalization that remains becomes a product and a sum. Sums are
    formed in double precision. Activation functions are recognized first
    (`qnn-fuse-activation`), so that no constant of theirs moves elsewhere.

    ```mlir
    %0 = qnn.conv %x, %w ... : (...) -> tensor<1x4x8x8xf32>
    %1 = qnn.batch_norm %0, %scale, %shift, %mean, %variance ...
    // becomes, with w' and b' constant
    %1 = qnn.conv %x, %w', %b' ... : (...) -> tensor<1x4x8x8xf32>
    ```
  }];
}

def FoldConstants : Pass<"qnn-fold-constants"> {
  let summary = "Evaluate what depends on constants only";
  let description = [{
    Unlike the folders of `canonicalize`, which stop at small tensors, works on
    tensors of any size. Ops that the dialect's evaluator does not compute are
    run in the compiler's process, all of them as one module, where the caller
    provides a `ModelRunnerFactory` (`qcc-opt` has none).

    A `qnn.dequantize` of a constant stays where an op that can work on
    quantized types uses it: there it says how the weights are quantized. After
    `qnn-legalize-qdq`, which has taken what it can use, `keep-dequantize=false`
    gives the products that remain float weights. An op whose result is much
    larger than its operands stays too.
  }];
  let options = [
    Option<"keepDequantize", "keep-dequantize", "bool", "true",
           "Keep dequantized constants that a quantizable op uses">
  ];
}

def FoldPad : Pass<"qnn-fold-pad"> {
  let summary = "Fold explicit padding into convolutions and average pools";
  let description = [{
    A `qnn.pad` that adds zeros along spatial dimensions becomes pads of the
    `qnn.conv` behind it, also with quantize, dequantize and requantize in
    between: they all keep the real value 0. In front of a `qnn.avg_pool` it
    becomes pads that count.
  }];
}

def FoldSpaceToDepth : Pass<"qnn-fold-space-to-depth"> {
  let summary = "Convolve an image instead of its pixels moved to channels";
  let description = [{
    Detectors begin with slices that take every second pixel, one for each place
    in blocks of 2x2, join them along the channels and convolve that. A
    convolution of the image with a larger window and stride sums the same
    products; nothing is moved. Any blocks, any order of their places, on float
    and quantized types.

    ```mlir
    %0 = qnn.slice %x {starts = array<i64: 0, 0, 0>, steps = array<i64: 1, 1, 2>, ...}
    %1 = qnn.slice %x {starts = array<i64: 0, 0, 1>, steps = array<i64: 1, 1, 2>, ...}
    %2 = qnn.concat %0, %1 {axis = 1 : i64}
    %3 = qnn.conv %2, %w {strides = array<i64: 1>, pads = array<i64: 1, 1>, ...}
       : (tensor<1x6x8xf32>, tensor<4x6x3xf32>) -> tensor<1x4x8xf32>
    // becomes
    %3 = qnn.conv %x, %v {strides = array<i64: 2>, pads = array<i64: 2, 2>, ...}
       : (tensor<1x3x16xf32>, tensor<4x3x6xf32>) -> tensor<1x4x8xf32>
    ```
  }];
}

def FormBlockMatmul : Pass<"qnn-form-block-matmul"> {
  let summary = "Multiply by weights in blocks instead of dequantizing them";
  let description = [{
    A product with a constant matrix that is dequantized in blocks along its
    depth (DequantizeLinear with `block_size`) becomes a `qnn.block_matmul`,
    whose weights keep their bits: as few as hold them, of 2, 4 and 8. Bias,
    residual and activation of the product follow as ops of their own.

    ```mlir
    %0 = qnn.dynamic_dequantize %q, %s : (tensor<2x32x24xi8>, tensor<2x1x24xf32>) -> ...
    %1 = qnn.reshape %0 : (tensor<2x32x24xf32>) -> tensor<64x24xf32>
    %2 = qnn.matmul %x, %1 : (tensor<3x64xf32>, tensor<64x24xf32>) -> tensor<3x24xf32>
    // becomes
    %2 = qnn.block_matmul %x, %w, %t {bits = 4 : i64, block = 32 : i64}
       : (tensor<3x64xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>) -> tensor<3x24xf32>
    ```
  }];
}

def FormLuts : Pass<"qnn-form-luts"> {
  let summary = "Turn elementwise functions of one 8-bit tensor into tables";
  let description = [{
    A chain of quantize, dequantize, requantize, unary, binary (with itself or
    with a constant of one value) and lut ops that starts at one 8-bit tensor
    and ends in one becomes a `qnn.lut`. Each entry is what the ops give when
    executed one by one: every result rounded to float32, transcendental
    functions correctly to within the host's double precision.

    A lone rescaling stays a `qnn.requantize`. Chains with a float result stay.

    ```mlir
    %0 = qnn.dequantize %q : (tensor<4x!q0>) -> tensor<4xf32>
    %1 = qnn.unary sigmoid %0 : (tensor<4xf32>) -> tensor<4xf32>
    %2 = qnn.binary mul %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!q1>
    // becomes
    %3 = qnn.lut %q {table = dense<...> : tensor<256xi8>} : (tensor<4x!q0>) -> tensor<4x!q1>
    ```
  }];
  let statistics = [Statistic<"numLuts", "num-luts", "Tables formed">];
}

def FuseActivation : Pass<"qnn-fuse-activation"> {
  let summary = "Recognize activation functions and fuse them";
  let description = [{
    First, chains of ops that frameworks write for one function become the one
    `qnn.unary`: `x * sigmoid(x)` (silu), `x * clamp(x + 3, 0, 6) / 6`
    (hard_swish), `0.5 x (1 + erf(x / sqrt 2))` (gelu) and its tanh
    approximation, `x * tanh(softplus(x))` (mish), max and min with constants
    (relu, clamp), prelu with one slope (leaky_relu).

    Then a `qnn.unary` that alone uses the float result of a convolution, a
    matrix product or a `qnn.binary` becomes its `activation`, if it is one that
    kernels compute with them (not elu, mish, softplus and the like).
  }];
}

def FuseNormalization : Pass<"qnn-fuse-normalization"> {
  let summary = "Recognize normalizations and softmax";
  let description = [{
    `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)` becomes
    `qnn.normalize`, also with the variance as `max(mean(x^2) - mean(x)^2, 0)`,
    by way of a reciprocal, and without the means as RMS normalization.
    `exp(x - max(x)) / sum(exp(x - max(x)))` becomes `qnn.softmax`. For their
    sake, `sum(x) / count` becomes a mean, and reductions keep dimensions that
    a reshape puts back.
  }];
}

def FuseResidual : Pass<"qnn-fuse-residual"> {
  let summary = "Fuse additions into the float product before them";
  let description = [{
    `add(conv(x, w), y)` of equal shapes becomes `conv(x, w) residual y`, with
    the activation of the addition, where nothing else uses the product and it
    has no activation yet; likewise for `qnn.matmul`. Of two products, the
    later one takes the other as its residual. Quantized products stay: there
    the result would no longer be rounded before the addition. So do depthwise
    convolutions, whose kernels add nothing.
  }];
}

def LegalizeQDQ : Pass<"qnn-legalize-qdq"> {
  let summary = "Fold dequantize -> op -> quantize into op on quantized types";
  let description = [{
    Works on every op of `QuantizableOpInterface` whose activations come from
    `qnn.dequantize` of 8-bit per-tensor types and whose result every user
    quantizes to one 8-bit per-tensor type. Scales stay exactly the model's.

    Convolutions and matrix products (the ops with a weight operand) need a
    quantized weight too, constant or per tensor, and sums that cannot
    overflow 32 bits. Where their result is not quantized, they still become
    integer products, with a float result. A weight alone that is quantized
    stays dequantized: that product computes in float. Their activations may
    also take 16 bits, with weights of 8 or 16, where there are kernels for that
    (convolutions without groups, products with a constant matrix), and so may
    their results. A clamp in front of a quantization to 16 bits narrows its
    type, which leaves more room to the sums behind it.

    A bias becomes 32-bit with scale `sx * sw`, as rounded to float32. Constants
    of another scale, or float ones, are rounded to that grid where this moves
    no result by more than 1/64 of the result's step; otherwise the product
    gives floats and the bias is added to these.

    A clamp (or another activation that can be fused) between op and quantize
    becomes the op's `activation`, or vanishes where the saturation of the
    quantize does the same. Remaining pairs of dequantize and quantize become
    `qnn.requantize`.

    ```mlir
    %0 = qnn.dequantize %q : (tensor<4x!q0>) -> tensor<4xf32>
    %1 = qnn.binary add %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %2 = qnn.quantize %1 : (tensor<4xf32>) -> tensor<4x!q1>
    // becomes
    %2 = qnn.binary add %q, %q : (tensor<4x!q0>, tensor<4x!q0>) -> tensor<4x!q1>
    ```
  }];
  let statistics = [
    Statistic<"numLegalized", "num-legalized", "Ops put on quantized types">
  ];
}

def LowerConvInteger : Pass<"qnn-lower-conv-integer"> {
  let summary = "Give integer convolutions the kernels of other products";
  let description = [{
    A `qnn.conv_integer` of channels-last images with constant filters becomes a
    `qnn.matmul_integer` of its gathered windows, if it has no groups, at least 16
    channels, and a filter that is signed bytes when its zero points are taken off
    or has one for all. Padding stands for the zero point of the input, known at
    run time, and is concatenated.

    Others become a `qnn.conv` of the bytes as they are, padded likewise, from whose
    results the zero point of the input times the sum of the weights is taken. Both
    are floats, if those hold every sum exactly: 255 times the weights of each
    output, in magnitude, sum to at most 2^24. Casts of the result to float vanish.

    Longer sums stay as they are, and so do depthwise ones, for which there is a
    kernel: of signed bytes in whole 16 channels or at least 64.

    ```mlir
    %s = qnn.conv_integer %x, %w, %zp {layout = #qnn<layout nhwc>, ...}
        : (tensor<1x6x6x16xui8>, tensor<8x16x3x3xi8>, tensor<ui8>) -> tensor<1x4x4x8xi32>
    // becomes, with nine slices of %x side by side in %windows
    %s = qnn.matmul_integer %windows, %matrix, %zp
        : (tensor<1x4x4x144xui8>, tensor<144x8xi8>, tensor<ui8>) -> tensor<1x4x4x8xi32>
    ```
  }];
}

def NarrowWeights : Pass<"qnn-narrow-weights"> {
  let summary = "Store the weights of float products in 16 bits";
  let description = [{
    Constant float32 weights of `qnn.conv` (but depthwise ones), `qnn.matmul` and
    `qnn.recurrence` become constants of `type`; the product stays one of
    float32, which widens them as it reads them. A table of at least 64 KB of
    which `qnn.gather` takes at most half goes there, too, with a `qnn.cast`
    behind the lookup. Weights that have an infinite value in `type` stay.

    Without `type`, only weights that lose nothing in f16 or bf16 go there, and
    only where reading them takes longer than multiplying: those of at least
    64 KB, or 2 MB in a recurrent layer, for at most 4 rows or sequences.
  }];
  let options = [
    Option<"type", "type", "std::string", /*default=*/"",
           "f16 or bf16, rounded to nearest, ties to even">
  ];
}

def PrepareExport : Pass<"qnn-prepare-export"> {
  let summary = "Write quantization so that other runtimes compute in integers";
  let description = [{
    ONNX Runtime replaces dequantize, an op and quantize by an integer kernel,
    whose sums are exact as those of qcc are; where it does not recognize them it
    adds up in float32, which rounds some ties the other way. So, without changing
    what the model means:

    - Ops on quantized tensors, as those of QLinearConv and its like, become
      float ops between dequantize and quantize. Ops that only move elements stay.
    - A relu or clamp in front of a quantize whose saturation does not imply it is
      taken behind that: `quantize(clamp(dequantize(quantize(x))))` is the same
      integer.
    - Activations that are quantized to signed integers become unsigned ones, with
      zero points greater by 128. If all zero points are 0 they stay: such models
      are made for runtimes that take nothing else.
    - Weights of f16 or bf16 that meet float32 are cast in front of their op.
    - Recurrent layers with weights in 8 bits, whose states are quantized at each step,
      stay. With `float-states` they read the real numbers of their weights instead,
      which changes what the model means.

    ```mlir
    %0 = qnn.conv %x, %w {activation = #qnn.act<relu, ...>} : ...
    %1 = qnn.quantize %0 : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<i8:f32, 0.1:-3>>
    // becomes
    %0 = qnn.conv %x, %w : ...
    %1 = qnn.quantize %0 : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<u8:f32, 0.1:125>>
    %2 = qnn.dequantize %1 : ...
    %3 = qnn.unary relu %2 : ...
    %4 = qnn.quantize %3 : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<u8:f32, 0.1:125>>
    ```
  }];
  let options = [
    Option<"floatStates", "float-states", "bool", /*default=*/"false",
           "Give recurrent layers float states">
  ];
  let statistics = [
    Statistic<"numFloat", "num-float", "Ops taken off quantized tensors">,
    Statistic<"numClamps", "num-clamps", "Clamps taken behind a quantize">,
    Statistic<"numUnsigned", "num-unsigned", "Activations made unsigned">,
    Statistic<"numWidened", "num-widened", "Weights of 16 bits with a cast">
  ];
}

def AvoidTies : Pass<"qnn-avoid-ties"> {
  let summary = "Scales at which no addition of 8-bit tensors is near a tie";
  let description = [{
    Runtimes compute `quantize(dequantize(a) + dequantize(b))` by several formulas
    in float32, of which none is exact, so that pairs of integers whose sum lies
    within some 1e-5 of a step from a tie round one way or the other. Where one of
    the 65,536 pairs does, the dequantize ops in front of the addition get scales that
    differ from those of the tensors by up to 16 units in the last place: such that
    for every pair all formulas give the integer that qcc's own gives with the scales
    that were there. If there are none, nothing is changed.

    The formulas: the sum of both integers' products with the ratio of their scales,
    less their zero points or with all zero points in one number, in either
    order, with and without fused multiply-add, and the sum of the real numbers.

    ```mlir
    %1 = qnn.storage_cast %0 : (tensor<4x!quant.uniform<u8:f32, 0.10000000149011612>>) -> tensor<4xui8>
    %2 = qnn.storage_cast %1 : (tensor<4xui8>) -> tensor<4x!quant.uniform<u8:f32, 0.10000000894069672>>
    %3 = qnn.dequantize %2 : ...
    ```
  }];
  let statistics = [
    Statistic<"numRescaled", "num-rescaled", "Additions with other scales">,
    Statistic<"numMissed", "num-missed",
              "Additions near a tie for which there are no better scales">
  ];
}

def PromoteHalf : Pass<"qnn-promote-half"> {
  let summary = "Compute f16 and bf16 models in float32";
  let description = [{
    All tensors of f16 and bf16 become float32 but inputs, outputs, constants
    and the results of `qnn.cast`, which are converted: a conversion to 16 bits
    in the model rounds as it says, the results of other ops are not rounded.
  }];
}

def PropagateQDQ : Pass<"qnn-propagate-qdq"> {
  let summary = "Move dequantize down and quantize up through data movement";
  let description = [{
    Reshape, transpose, concat, slice, pad, expand, gather, nearest resize and
    max_pool commute with the elementwise, monotonic quantize and dequantize;
    so these ops move 8-bit data, and dequantize meets the op that can take it.
    A `quantize` moves up through an op that drops elements only where nothing
    else wants the floats.

    Also removes `quantize(dequantize(q))` of equal types, relu and clamp that
    the saturation of the following quantize implies, merges equal quantize
    ops of one value, and quantizes constants.
  }];
}

def FoldEmpty : Pass<"qnn-fold-empty"> {
  let summary = "Replace tensors without elements, and sums without terms";
  let description = [{
    A result without elements becomes a constant. A convolution or product of an
    empty operand whose result has elements becomes its bias, residual and
    activation, and a mean of one is 0.
  }];
}

def SimplifyMatmul : Pass<"qnn-simplify-matmul"> {
  let summary = "Fold transposes and constant biases into matrix products";
  let description = [{
    A transpose of the last two dimensions of an operand becomes
    `transpose_lhs` or `transpose_rhs`; an addition of one constant per column,
    also a dequantized one, becomes the `bias`. A product of a one-hot matrix
    (`cast(eq(i, 0..n-1))`) and a constant becomes a `qnn.gather` of its rows. Of
    products of several matrices with one and the same (`reshape(expand(b))`, as
    grouped queries make them) the rows are taken together.
  }];
}

#endif // QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD
