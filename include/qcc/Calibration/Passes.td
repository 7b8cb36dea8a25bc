#ifndef QCC_CALIBRATION_PASSES_TD
#define QCC_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def ApplyCalibration : Pass<"qnn-apply-calibration", "::mlir::ModuleOp"> {
  let summary = "Replace qnn.observe by quantize and dequantize";
  let description = [{
    Each `qnn.observe` becomes `qnn.dequantize(qnn.quantize(x))`, with unsigned
    8-bit parameters for the range that the calibration table gives its id,
    widened to include 0: `scale = (max - min) / 255`,
    `zeroPoint = roundeven(-min / scale)`. One for 16 bits gets signed ones that
    map the largest magnitude of the range, and of the values that were observed,
    to 8191 (zero point 0): sums of products with 16-bit weights then have room in
    32 bits.

    ```mlir
    %1 = qnn.observe %0 as "conv1" : tensor<4xf32> -> tensor<4xf32>
    // becomes
    %q = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!quant.uniform<u8:f32, 0.01:128>>
    %1 = qnn.dequantize %q : (tensor<4x!quant.uniform<u8:f32, 0.01:128>>) -> tensor<4xf32>
    ```
  }];
  let options = [
    Option<"table", "table", "std::string", "",
           "Calibration table (a file that qcc -calib-table wrote)">
  ];
}

def InsertObservers : Pass<"qnn-insert-observers", "::mlir::ModuleOp"> {
  let summary = "Insert qnn.observe where activations will be quantized";
  let description = [{
    Observed are the float32 activations of the ops that go to 8 bits:

    - ops with a constant weight operand (convolutions, matrix products);
    - quantizable ops between two such ops;
    - quantizable ops that only move data (`ScaleConstraint::SameScale`) in
      front of such an op.

    What follows the last product (softmax, decoding of boxes) stays float, and
    so does that product's result. So does a value that only elementwise ops of
    its shape compute and read: they are one kernel. A slice of neighbouring
    elements of a float tensor is quantized behind the slice, as its range may
    be another than that of the whole. Ops beside an explicit `qnn.quantize` or
    `qnn.dequantize` are left as they are.

    An observer's id is the name of the node or graph input that gives the
    value. Values that ops with `ScaleConstraint::SameScale` tie together share
    the id of the first of them, and so one range. A value that is the result
    of a float op is observed for its quantized users only.

    `keep-float` names layers (ops with a constant weight, by the name of their
    node) that stay float; they get the attribute `qnn.keep_float`, which
    `qnn-quantize-weights` honours. `int16` names layers whose input is observed
    for 16 bits instead, under the same id; whatever else reads that value then
    reads the same. `fp16` and `bf16` name layers that stay float and store their
    weights in f16 or bf16 (see `qnn-narrow-weights`). The ids of what is observed
    depend on none of these.
  }];
  let options = [
    ListOption<"keepFloat", "keep-float", "std::string",
               "Layers that stay float">,
    ListOption<"int16", "int16", "std::string",
               "Layers with activations and weights of 16 bits">,
    ListOption<"fp16", "fp16", "std::string", "Layers with weights of f16">,
    ListOption<"bf16", "bf16", "std::string", "Layers with weights of bf16">
  ];
}

#endif // QCC_CALIBRATION_PASSES_TD
