// A table behind a product is looked up in its epilogue, unless others use the
// product's own result.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s --check-prefixes=CHECK,VBMI
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx2})' | FileCheck %s --check-prefixes=CHECK,LADDER

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>
!z = !quant.uniform<u8:f32, 0.2:7>

// CHECK-LABEL: func.func private @conv_0
// VBMI: llvm.x86.avx512.vpermi2var.qi.512
// LADDER-COUNT-16: llvm.x86.avx2.pshuf.b
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x4x4x8x!x> {qnn.name = "x"}) -> (tensor<1x4x4x16x!z> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<16x8x1x1xi8> as tensor<16x8x1x1x!w>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8x!x>, tensor<16x8x1x1x!w>) -> tensor<1x4x4x16x!y>
  %y = qnn.lut %t {table = dense<"0x030A11181F262D343B424950575E656C737A81888F969DA4ABB2B9C0C7CED5DCE3EAF1F8FF060D141B222930373E454C535A61686F767D848B9299A0A7AEB5BCC3CAD1D8DFE6EDF4FB020910171E252C333A41484F565D646B727980878E959CA3AAB1B8BFC6CDD4DBE2E9F0F7FE050C131A21282F363D444B525960676E757C838A91989FA6ADB4BBC2C9D0D7DEE5ECF3FA01080F161D242B323940474E555C636A71787F868D949BA2A9B0B7BEC5CCD3DAE1E8EFF6FD040B121920272E353C434A51585F666D747B828990979EA5ACB3BAC1C8CFD6DDE4EBF2F900070E151C232A31383F464D545B626970777E858C939AA1A8AFB6BDC4CBD2D9E0E7EEF5FC"> : tensor<256xui8>} : (tensor<1x4x4x16x!y>) -> tensor<1x4x4x16x!z>
  return %y : tensor<1x4x4x16x!z>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>
!z = !quant.uniform<u8:f32, 0.2:7>

// CHECK-LABEL: func.func private @conv_0
// CHECK-NOT: vpermi2var
// CHECK-NOT: pshuf.b
// CHECK-LABEL: func.func private @lut
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK: call @lut
// CHECK: return
func.func @main(%x: tensor<1x4x4x8x!x> {qnn.name = "x"})
    -> (tensor<1x4x4x16x!y> {qnn.name = "t"}, tensor<1x4x4x16x!z> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<16x8x1x1xi8> as tensor<16x8x1x1x!w>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8x!x>, tensor<16x8x1x1x!w>) -> tensor<1x4x4x16x!y>
  %y = qnn.lut %t {table = dense<"0x030A11181F262D343B424950575E656C737A81888F969DA4ABB2B9C0C7CED5DCE3EAF1F8FF060D141B222930373E454C535A61686F767D848B9299A0A7AEB5BCC3CAD1D8DFE6EDF4FB020910171E252C333A41484F565D646B727980878E959CA3AAB1B8BFC6CDD4DBE2E9F0F7FE050C131A21282F363D444B525960676E757C838A91989FA6ADB4BBC2C9D0D7DEE5ECF3FA01080F161D242B323940474E555C636A71787F868D949BA2A9B0B7BEC5CCD3DAE1E8EFF6FD040B121920272E353C434A51585F666D747B828990979EA5ACB3BAC1C8CFD6DDE4EBF2F900070E151C232A31383F464D545B626970777E858C939AA1A8AFB6BDC4CBD2D9E0E7EEF5FC"> : tensor<256xui8>} : (tensor<1x4x4x16x!y>) -> tensor<1x4x4x16x!z>
  return %t, %y : tensor<1x4x4x16x!y>, tensor<1x4x4x16x!z>
}
