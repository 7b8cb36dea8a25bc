// RUN: qcc-opt %s -qcc-plan-arena | FileCheck %s
// RUN: qcc-opt %s -qcc-plan-arena=keep-tensors | FileCheck %s --check-prefix=KEEP

// A buffer is followed by 64 bytes that may be read: 1024 + 64. The first and
// the third are never alive at once; the second meets both.

// CHECK: module attributes {qcc.arena_bytes = 1728 : i64}
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: memref<256xf32> {qcc.input}, %[[Y:.*]]: memref<256xf32>, %[[ARENA:.*]]: memref<1728xi8>
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%c0_{{.*}}][] {qcc.tensor = "a", qcc.type = tensor<256xf32>}
// CHECK: call @kernel(%[[X]], %[[A]]
// CHECK: %[[B_AT:.*]] = arith.constant 1088 : index
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%[[B_AT]]][]
// CHECK: memref.reinterpret_cast %[[B]]
// CHECK: memref.view %[[ARENA]][%c0_{{.*}}][]
// CHECK-NOT: memref.alloc

// KEEP: module attributes {qcc.arena_bytes = 2816 : i64}
// KEEP-DAG: arith.constant 1088 : index
// KEEP-DAG: arith.constant 2176 : index
func.func private @kernel(memref<256xf32>, memref<256xf32>, index, index)
func.func private @narrow(memref<256xf32>, memref<144xf32>, index, index)
func.func private @wide(memref<12x12xf32>, memref<256xf32>, index, index)
func.func @main(%x: memref<256xf32> {qcc.input}, %y: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() {qcc.tensor = "a", qcc.type = tensor<256xf32>} : memref<256xf32>
  call @kernel(%x, %a, %c0, %c1) : (memref<256xf32>, memref<256xf32>, index, index) -> ()
  %b = memref.alloc() : memref<144xf32>
  call @narrow(%a, %b, %c0, %c1) : (memref<256xf32>, memref<144xf32>, index, index) -> ()
  %view = memref.reinterpret_cast %b to offset: [0], sizes: [12, 12], strides: [12, 1] : memref<144xf32> to memref<12x12xf32>
  %c = memref.alloc() : memref<256xf32>
  call @wide(%view, %c, %c0, %c1) : (memref<12x12xf32>, memref<256xf32>, index, index) -> ()
  call @kernel(%c, %y, %c0, %c1) : (memref<256xf32>, memref<256xf32>, index, index) -> ()
  return
}
