// Products of 16 bits take one instruction where the level has it: LLVM splits
// some into vpmaddwd and vpaddd, unless it is told that they are fast.

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx512-vnni -qcc-plan-arena -o %t.512.mlir
// RUN: qcc-emit %t.512.mlir -o %t.512.s
// RUN: FileCheck %s --check-prefix=AVX512 < %t.512.s
// AVX512-LABEL: depthwise_i16_0.kernel:
// AVX512-NOT: vpmaddwd
// AVX512: vpdpwssd {{.*}}%zmm
// AVX512-NOT: vpmaddwd
// AVX512: vpackssdw {{.*}}%zmm
// AVX512-NOT: vpmaddwd
// AVX512: .size

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx-vnni -qcc-plan-arena -o %t.vnni.mlir
// RUN: qcc-emit %t.vnni.mlir -o %t.vnni.s
// RUN: FileCheck %s --check-prefix=VNNI < %t.vnni.s
// VNNI-LABEL: depthwise_i16_0.kernel:
// VNNI-NOT: {{zmm|vpmaddwd}}
// VNNI: {vex} vpdpwssd {{.*}}%ymm
// VNNI-NOT: {{zmm|vpmaddwd}}
// VNNI: .size

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx2 -qcc-plan-arena -o %t.avx2.mlir
// RUN: qcc-emit %t.avx2.mlir -o %t.avx2.s
// RUN: FileCheck %s --check-prefix=AVX2 < %t.avx2.s
// AVX2-LABEL: depthwise_i16_0.kernel:
// AVX2-NOT: {{zmm|vpdpwssd}}
// AVX2: vpmaddwd {{.*}}%ymm
// AVX2-NOT: {{zmm|vpdpwssd}}
// AVX2: .size

!x = !quant.uniform<i16<-8191:8191>:f32, 0.01>
!w = !quant.uniform<i16<-32767:32767>:f32, 0.001>

func.func @main(%x: tensor<1x8x8x32x!x>) -> tensor<1x8x8x32x!x> {
  %w = qnn.constant dense<300> : tensor<32x1x3x3xi16> as tensor<32x1x3x3x!w>
  %y = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x32x!x>, tensor<32x1x3x3x!w>) -> tensor<1x8x8x32x!x>
  return %y : tensor<1x8x8x32x!x>
}
