// Each level's inner loop is made of its own dot product, and no level uses
// registers or instructions of a higher one.

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx512-vnni -qcc-plan-arena -o %t.512.mlir
// RUN: qcc-emit %t.512.mlir -o %t.512.s
// RUN: FileCheck %s --check-prefix=AVX512 < %t.512.s
// AVX512-LABEL: conv_0.kernel:
// AVX512-NOT: call
// AVX512: vpdpbusd {{.*}}%zmm
// AVX512-NOT: call
// AVX512: vpackuswb {{.*}}%zmm

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx-vnni -qcc-plan-arena -o %t.vnni.mlir
// RUN: qcc-emit %t.vnni.mlir -o %t.vnni.s
// RUN: FileCheck %s --check-prefix=VNNI < %t.vnni.s
// VNNI-LABEL: conv_0.kernel:
// VNNI-NOT: {{zmm|call}}
// VNNI: {vex} vpdpbusd {{.*}}%ymm
// VNNI-NOT: {{zmm|call}}
// VNNI: vpackssdw {{.*}}%ymm

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx2 -qcc-plan-arena -o %t.avx2.mlir
// RUN: qcc-emit %t.avx2.mlir -o %t.avx2.s
// RUN: FileCheck %s --check-prefix=AVX2 < %t.avx2.s
// AVX2-LABEL: conv_0.kernel:
// AVX2-NOT: {{zmm|vpdpbusd|call}}
// AVX2: vpmaddwd {{.*}}%ymm
// AVX2-NOT: {{zmm|vpdpbusd|call}}
// AVX2: vpackssdw {{.*}}%ymm

// RUN: qcc-opt %s -qcc-generate-kernels=level=baseline -qcc-plan-arena -o %t.sse.mlir
// RUN: qcc-emit %t.sse.mlir -o %t.sse.s
// RUN: FileCheck %s --check-prefix=SSE < %t.sse.s
// SSE-LABEL: conv_0.kernel:
// SSE-NOT: {{ymm|vpmadd|call}}
// SSE: pmaddwd {{.*}}%xmm
// SSE-NOT: {{ymm|vpmadd|call}}
// SSE: packuswb {{.*}}%xmm

// The tile registers are configured once, before they are used, and given back
// on the way out; in between nothing is called, and no tile is spilled: every
// store of a tile is one of sums, with the pitch of a panel.

// RUN: qcc-opt %s -qcc-generate-kernels=level=amx -qcc-plan-arena -o %t.amx.mlir
// RUN: qcc-emit %t.amx.mlir -o %t.amx.s
// RUN: FileCheck %s --check-prefix=AMX < %t.amx.s
// AMX-LABEL: conv_tiles_0.kernel:
// AMX-NOT: {{tile|tdp|call}}
// AMX: ldtilecfg
// AMX-NOT: {{tilestored|tilerelease|call}}
// AMX: tdpbusd %tmm{{[0-9]}}, %tmm{{[0-9]}}, %tmm{{[0-9]}}
// AMX-NOT: {{tilerelease|call}}
// AMX: tilestored
// AMX-NOT: call
// AMX: tilerelease
// AMX-NOT: {{tile|tdp|call}}
// AMX: retq
// AMX: .size

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>
func.func @main(%x: tensor<1x14x14x64x!x> {qnn.name = "x"}) -> (tensor<1x14x14x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<3> : tensor<64x64x3x3xi8> as tensor<64x64x3x3x!w>
  %y = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64x!x>, tensor<64x64x3x3x!w>) -> tensor<1x14x14x64x!y>
  return %y : tensor<1x14x14x64x!y>
}
