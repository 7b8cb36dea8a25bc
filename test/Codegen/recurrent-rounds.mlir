// RUN: qcc-opt %s -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s --check-prefixes=CHECK,MIXED
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx2})' | FileCheck %s --check-prefixes=CHECK,PLAIN

// Threads share the steps of a layer with weights enough: a round for the first
// states and one for each product, two in a step whose reset gate works first.
// The gates of AVX512 are mixed with products, which LLVM must not undo.
// MIXED: func.func private @recurrence_0
// MIXED: llvm.inline_asm has_side_effects
// MIXED: loop_annotation
// PLAIN-NOT: llvm.inline_asm
// CHECK: func.func @main
// CHECK: call @recurrence_0({{.*}}) {qcc.rounds = 8 : i64}
// CHECK: call @recurrence_1({{.*}}) {qcc.rounds = 15 : i64}
// One round for each product of all sequences.
// CHECK: call @recurrence_2({{.*}}) {qcc.rounds = 8 : i64}
// Too little: one tile, a thread goes through all steps.
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: call @recurrence_3({{.*}}, %[[ONE]]) : (
func.func @main(%x: tensor<7x1x800xf32>, %g: tensor<7x1x600xf32>, %b: tensor<7x6x800xf32>, %s: tensor<7x1x80xf32>)
    -> (tensor<7x1x200xf32>, tensor<7x1x200xf32>, tensor<7x6x200xf32>, tensor<7x1x20xf32>) {
  %w = qnn.constant dense<0.5> : tensor<800x200xf32> as tensor<800x200xf32>
  %v = qnn.constant dense<0.25> : tensor<600x200xf32> as tensor<600x200xf32>
  %u = qnn.constant dense<0.125> : tensor<80x20xf32> as tensor<80x20xf32>
  %y, %h, %c = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]}
      : (tensor<7x1x800xf32>, tensor<800x200xf32>) -> (tensor<7x1x200xf32>, tensor<1x200xf32>, tensor<1x200xf32>)
  %y1, %h1 = qnn.recurrence gru %g, %v {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]}
      : (tensor<7x1x600xf32>, tensor<600x200xf32>) -> (tensor<7x1x200xf32>, tensor<1x200xf32>)
  %y2, %h2, %c2 = qnn.recurrence lstm %b, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]}
      : (tensor<7x6x800xf32>, tensor<800x200xf32>) -> (tensor<7x6x200xf32>, tensor<6x200xf32>, tensor<6x200xf32>)
  %y3, %h3, %c3 = qnn.recurrence lstm %s, %u {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]}
      : (tensor<7x1x80xf32>, tensor<80x20xf32>) -> (tensor<7x1x20xf32>, tensor<1x20xf32>, tensor<1x20xf32>)
  return %y, %y1, %y2, %y3 : tensor<7x1x200xf32>, tensor<7x1x200xf32>, tensor<7x6x200xf32>, tensor<7x1x20xf32>
}
