// RUN: qcc-opt %s -qcc-plan-arena | FileCheck %s

// The largest first, the buffers of 832, 576, 576 and 1088 bytes would take 1984:
// the third would stand above the second, which is placed above the first. In
// the order of their use it is placed where the first was.

// CHECK: module attributes {qcc.arena_bytes = 1664 : i64}
// CHECK-LABEL: func.func @main
// CHECK: memref.view {{.*}}[%c0{{.*}}][] {{.*}} to memref<192xf32>
// CHECK: %[[C:.*]] = arith.constant 832 : index
// CHECK: memref.view {{.*}}[%[[C]]][] {{.*}} to memref<128xf32>
// CHECK: memref.view {{.*}}[%c0{{.*}}][] {{.*}} to memref<128xf32>
// CHECK: %[[E:.*]] = arith.constant 576 : index
// CHECK: memref.view {{.*}}[%[[E]]][] {{.*}} to memref<256xf32>
func.func private @first(memref<8xf32>, memref<192xf32>, index, index)
func.func private @second(memref<192xf32>, memref<128xf32>, index, index)
func.func private @third(memref<128xf32>, memref<128xf32>, index, index)
func.func private @fourth(memref<128xf32>, memref<256xf32>, index, index)
func.func private @last(memref<256xf32>, memref<8xf32>, index, index)
func.func @main(%x: memref<8xf32> {qcc.input}, %y: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<192xf32>
  call @first(%x, %a, %c0, %c1) : (memref<8xf32>, memref<192xf32>, index, index) -> ()
  %b = memref.alloc() : memref<128xf32>
  call @second(%a, %b, %c0, %c1) : (memref<192xf32>, memref<128xf32>, index, index) -> ()
  %c = memref.alloc() : memref<128xf32>
  call @third(%b, %c, %c0, %c1) : (memref<128xf32>, memref<128xf32>, index, index) -> ()
  %d = memref.alloc() : memref<256xf32>
  call @fourth(%c, %d, %c0, %c1) : (memref<128xf32>, memref<256xf32>, index, index) -> ()
  call @last(%d, %y, %c0, %c1) : (memref<256xf32>, memref<8xf32>, index, index) -> ()
  return
}
