#ifndef QCC_DIALECT_QNN_IR_QNNINDEXINGOPS_TD
#define QCC_DIALECT_QNN_IR_QNNINDEXINGOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

def QNN_TopKOp : QNN_ComputeOp<"top_k"> {
  let summary = "The k largest (or smallest) elements along one dimension, and their indices";
  let description = [{
    Sorted, the best one first. Of equal elements the one with the lower index
    comes first; NaN counts as larger than every number.

    ```mlir
    %v, %i = qnn.top_k %x {k = 3 : i64, axis = 1 : i64}
           : (tensor<2x9xf32>) -> (tensor<2x3xf32>, tensor<2x3xi64>)
    ```
  }];
  let arguments = (ins QNN_PlainTensor:$input, I64Attr:$k, I64Attr:$axis,
                       UnitAttr:$smallest);
  let results = (outs QNN_PlainTensor:$values, QNN_IntTensor:$indices);
  let hasVerifier = 1;
}

class QNN_ScatterOp<string mnemonic> : QNN_ComputeOp<mnemonic> {
  let results = (outs QNN_PlainTensor:$result);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_ScatterElementsOp : QNN_ScatterOp<"scatter_elements"> {
  let summary = "Put elements at indices along one dimension";
  let description = [{
    `result` is `input`, then for each position p of `updates` in row-major
    order `result[p'] = reduction(result[p'], updates[p])`, where p' is p with
    `indices[p]` in place of its coordinate `axis`. Negative indices count from
    the end; what lies beyond the bounds is left out.
  }];
  let arguments = (ins QNN_PlainTensor:$input, QNN_IntTensor:$indices,
                       QNN_PlainTensor:$updates, I64Attr:$axis,
                       DefaultValuedAttr<QNN_ScatterReductionAttr,
                         "ScatterReduction::None">:$reduction);
}

def QNN_ScatterNDOp : QNN_ScatterOp<"scatter_nd"> {
  let summary = "Put slices at indices of the leading dimensions";
  let description = [{
    The last dimension of `indices` holds coordinates in the first dimensions of
    `input`. `result` is `input`, then for each of these tuples, in order,
    `result[tuple] = reduction(result[tuple], updates[position of tuple])`.
    Negative indices count from the end; a tuple with one beyond the bounds is
    left out.
  }];
  let arguments = (ins QNN_PlainTensor:$input, QNN_IntTensor:$indices,
                       QNN_PlainTensor:$updates,
                       DefaultValuedAttr<QNN_ScatterReductionAttr,
                         "ScatterReduction::None">:$reduction);
}

def QNN_GridSampleOp : QNN_ComputeOp<"grid_sample"> {
  let summary = "Interpolate an image at given places (ONNX GridSample)";
  let description = [{
    `input` is [N, C, d1..dr], `grid` [N, e1..er, r] holds a place for each
    element of the result [N, C, e1..er]: its coordinates from the last spatial
    dimension to the first, -1 and 1 being the centres of the first and the last
    pixel with `align_corners`, else the outer borders of these. With `in_pixels`
    they count pixels instead, 0 being the centre of the first one. `linear`
    reads 2^r pixels, `cubic` (coefficient -0.75) 4^r.
  }];
  let arguments = (ins QNN_FloatTensor:$input, QNN_FloatTensor:$grid,
                       QNN_ResizeModeAttr:$mode,
                       DefaultValuedAttr<QNN_SampleBorderAttr,
                         "SampleBorder::Zeros">:$border,
                       UnitAttr:$align_corners, UnitAttr:$in_pixels);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

def QNN_RoiAlignOp : QNN_ComputeOp<"roi_align"> {
  let summary = "Pool regions of an image, interpolated (ONNX RoiAlign)";
  let description = [{
    `input` is [N, C, H, W], `rois` [R, 4]: the corners x1, y1, x2, y2 of each
    region in units of 1 / `spatial_scale` pixels, `batch_indices` [R] its image
    (clamped to those there are). A region is cut into `output_height` x
    `output_width` bins, a bin into `sampling_ratio` x `sampling_ratio` parts,
    or where that is 0 into parts of at most a pixel, though not into more along
    a dimension than the image has pixels. Each part is read at its centre, with
    linear interpolation, as 0 more than a pixel outside of the image; the
    result [R, C, output_height, output_width] is the mean of a bin, or with
    `maximum` the largest product of a pixel and its weight. Without
    `half_pixel`, coordinates are not shifted by half a pixel, and regions have
    at least the extent of one.
  }];
  let arguments = (ins QNN_FloatTensor:$input, QNN_FloatTensor:$rois,
                       QNN_IntTensor:$batch_indices, I64Attr:$output_height,
                       I64Attr:$output_width, I64Attr:$sampling_ratio,
                       F32Attr:$spatial_scale, UnitAttr:$half_pixel,
                       UnitAttr:$maximum);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

#endif // QCC_DIALECT_QNN_IR_QNNINDEXINGOPS_TD
