#ifndef QCC_DIALECT_QNN_IR_QNNRECURRENTOPS_TD
#define QCC_DIALECT_QNN_IR_QNNRECURRENTOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

def QNN_RecurrenceKind : QNN_Enum<"RecurrenceKind", "cell of a recurrent network", [
  I32EnumAttrCase<"Lstm", 0, "lstm">,   // gates: input, output, forget, cell
  I32EnumAttrCase<"Gru", 1, "gru">,     // gates: update, reset, hidden
  I32EnumAttrCase<"Plain", 2, "plain">]>; // one gate
def QNN_RecurrenceKindAttr : EnumAttr<QNN_Dialect, QNN_RecurrenceKind, "recurrence_kind">;

def QNN_ActivationArrayAttr
    : TypedArrayAttrBase<QNN_ActivationAttr, "array of activations">;

def QNN_RecurrenceOp : QNN_Op<"recurrence", [Pure, AttrSizedOperandSegments,
    InferShapedTypeOpAdaptor, QNN_VerifyInferredShape]> {
  let summary = "The sequential part of LSTM, GRU and plain recurrent layers";
  let description = [{
    One direction of a layer with H hidden values over T steps and N sequences.
    `input` is [T, N, G*H]: what the layer's own input and its biases add to
    each of the G gates, one matrix product for all steps. `weights` is
    [G*H, H]. At each step, with the state h [N, H], which starts as
    `initial_state` (0 where absent), and `p = h . weights^T`:

    - `lstm` (gates i, o, f, c; activations a0, a1, a2; cell c):
      `i = a0(x_i + p_i + P_i * c)`, `f = a0(x_f + p_f + P_f * c)`,
      `c' = f * c + i * a1(x_c + p_c)`, `o = a0(x_o + p_o + P_o * c')`,
      `h' = o * a2(c')`. `peepholes` is [3*H]: P_i, P_o, P_f. With `coupled`,
      `f = 1 - i`.
    - `gru` (gates z, r, h; activations a0, a1): `z = a0(x_z + p_z)`,
      `r = a0(x_r + p_r)`, `n = a1(x_h + (r * h) . W_h^T)`, or with
      `linear_before_reset` `n = a1(x_h + r * (p_h + bias))`;
      `h' = (1 - z) * n + z * h`. `bias` is [H].
    - `plain` (activation a0): `h' = a0(x + p)`.

    With `clip`, the operand of a0 and a1 is first clamped to [-clip, clip].
    `lengths` [N] gives each sequence's number of steps, at most T; the results
    beyond it are 0. `reverse` runs each sequence from its last step to its
    first. Results: the state after each step at that step's place, the last
    state, and for `lstm` the last cell.

    Weights of f16 or bf16 meet states of f32: they are widened, which is exact.

    Quantized: `weights` per tensor or per axis 0. The vector that is
    multiplied by them, one of each sequence, is quantized at each step as by
    `qnn.dynamic_quantize`; the sum is exact, its real value
    `float(acc) * (scale of the vector * scale of the weight)`.

    ```mlir
    %y, %h, %c = qnn.recurrence lstm %x, %w state %h0 cell %c0
        {activations = [#qnn.act<sigmoid, 0.0, 0.0>, ...]}
        : (tensor<10x1x32xf32>, tensor<32x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>)
       -> (tensor<10x1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>)
    ```
  }];
  let arguments = (ins QNN_RecurrenceKindAttr:$kind, QNN_FloatTensor:$input,
                       QNN_Tensor:$weights,
                       Optional<QNN_FloatTensor>:$bias,
                       Optional<QNN_FloatTensor>:$initial_state,
                       Optional<QNN_FloatTensor>:$initial_cell,
                       Optional<QNN_FloatTensor>:$peepholes,
                       Optional<QNN_IntTensor>:$lengths,
                       QNN_ActivationArrayAttr:$activations,
                       OptionalAttr<F32Attr>:$clip, UnitAttr:$reverse,
                       UnitAttr:$coupled, UnitAttr:$linear_before_reset);
  let results = (outs QNN_FloatTensor:$states, QNN_FloatTensor:$last_state,
                      Optional<QNN_FloatTensor>:$last_cell);
  let assemblyFormat = [{
    `` $kind $input `,` $weights (`bias` $bias^)? (`state` $initial_state^)?
    (`cell` $initial_cell^)? (`peepholes` $peepholes^)? (`lengths` $lengths^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    static int64_t getNumGates(RecurrenceKind kind) {
      return kind == RecurrenceKind::Lstm ? 4 : kind == RecurrenceKind::Gru ? 3 : 1;
    }
    int64_t getNumGates() { return getNumGates(getKind()); }
    int64_t getNumSteps() {
      return ::llvm::cast<::mlir::ShapedType>(getStates().getType()).getDimSize(0);
    }
    int64_t getNumSequences() {
      return ::llvm::cast<::mlir::ShapedType>(getStates().getType()).getDimSize(1);
    }
    int64_t getHiddenSize() {
      return ::llvm::cast<::mlir::ShapedType>(getStates().getType()).getDimSize(2);
    }
    /// The function a0, a1 or a2 of the description.
    ActivationAttr getActivation(unsigned i) {
      return ::llvm::cast<ActivationAttr>(getActivations()[i]);
    }
  }];
}

#endif // QCC_DIALECT_QNN_IR_QNNRECURRENTOPS_TD
