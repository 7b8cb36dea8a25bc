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
  let summary = "Give all 8-bit activations one signedness";
  let description = [{
    Turns `u8` activations into `s8` or the reverse, whichever the target's dot
    product wants, by a shift of storage values and zero points by 128. Exact:
    every real value stays. Weights keep their storage; constants that act as
    activations and tables of `qnn.lut` are converted; tensors that come from or
    go to plain integers (`qnn.storage_cast`), function arguments and results
    keep theirs and are shifted by a `qnn.requantize`.
  }];
  let options = [
    Option<"activations", "activations", "::qcc::qnn::ActivationStorage",
           "::qcc::qnn::ActivationStorage::Unsigned",
           "Storage of the activations", [{::llvm::cl::values(
             clEnumValN(::qcc::qnn::ActivationStorage::Unsigned, "unsigned", "u8"),
             clEnumValN(::qcc::qnn::ActivationStorage::Signed, "signed", "s8"))}]>
  ];
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
    stays dequantized: that product computes in float.

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

#endif // QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD
