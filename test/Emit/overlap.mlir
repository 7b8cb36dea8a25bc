// In-place calls cost their kernel the promise that arguments do not alias,
// even where its author gave it; others keep it.
// RUN: qcc-emit %s -o %t.ll
// RUN: FileCheck %s < %t.ll

// CHECK: define {{.*}}@qcc_avx2_in_place.kernel(
// CHECK-NOT: noalias
// CHECK-SAME: {
// CHECK: define {{.*}}@qcc_avx2_apart.kernel(ptr {{[^,]*}}noalias{{[^,]*}}align 64{{[^,]*}}, ptr {{[^,]*}}noalias{{[^,]*}}align 32

module attributes {qcc.level = "avx2"} {
  func.func private @in_place(%x: memref<64xf32> {llvm.noalias}, %y: memref<64xf32> {llvm.noalias}, %b: index, %e: index) attributes {qcc.kernel} {
    %0 = memref.load %x[%b] : memref<64xf32>
    %1 = arith.addf %0, %0 : f32
    memref.store %1, %y[%b] : memref<64xf32>
    return
  }
  func.func private @apart(%x: memref<8xf32>, %y: memref<8xf32>, %b: index, %e: index) attributes {qcc.kernel} {
    %0 = memref.load %x[%b] : memref<8xf32>
    %1 = arith.mulf %0, %0 : f32
    memref.store %1, %y[%b] : memref<8xf32>
    return
  }
  func.func @main(%x: memref<8xf32> {qcc.name = "x", qcc.type = tensor<8xf32>, qcc.input}, %y: memref<64xf32> {qcc.name = "y", qcc.type = tensor<64xf32>, qcc.output}, %arena: memref<512xi8>) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %a = memref.view %arena[%c0][] : memref<512xi8> to memref<64xf32>
    %b = memref.view %arena[%c64][] : memref<512xi8> to memref<64xf32>
    %c = memref.view %arena[%c0][] : memref<512xi8> to memref<8xf32>
    %d = memref.view %arena[%c32][] : memref<512xi8> to memref<8xf32>
    func.call @in_place(%a, %b, %c0, %c64) : (memref<64xf32>, memref<64xf32>, index, index) -> ()
    func.call @apart(%c, %d, %c0, %c64) : (memref<8xf32>, memref<8xf32>, index, index) -> ()
    return
  }
}
