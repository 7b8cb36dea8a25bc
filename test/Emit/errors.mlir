// RUN: rm -rf %t && split-file %s %t
// RUN: not qcc-emit %t/libm.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=LIBM
// RUN: not qcc-emit %t/loop.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=LOOP
// RUN: not qcc-emit %t/tiles.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=TILES
// RUN: not qcc-emit %t/bounds.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=BOUNDS
// RUN: not qcc-emit %t/good.mlir -prefix=2- -o %t/out.so 2>&1 | FileCheck %s --check-prefix=PREFIX
// RUN: not qcc-emit %t/good.mlir -o %t/no/such/out.so 2>&1 | FileCheck %s --check-prefix=NOWRITE
// RUN: not ls %t/out.so
// RUN: qcc-emit %t/good.mlir -o %t/out.so

// LIBM: error: internal error: the generated code calls 'expf', which no artefact may leave undefined
// LOOP: error: {{.*}}does not belong into @main
// TILES: error: {{.*}}must call a kernel on buffers, 0 and a constant number of tiles
// BOUNDS: error: {{.*}}does not lie within its buffer
// PREFIX: error: -prefix=2-: expected letters
// NOWRITE: error: {{.*}}no/such/out.so

//--- libm.mlir
module attributes {qcc.level = "avx2"} {
  func.func private @exp(%x: memref<4xf32>, %y: memref<4xf32>, %b: index, %e: index) attributes {qcc.kernel} {
    %0 = memref.load %x[%b] : memref<4xf32>
    %1 = math.exp %0 : f32
    memref.store %1, %y[%b] : memref<4xf32>
    return
  }
  func.func @main(%x: memref<4xf32> {qcc.name = "x", qcc.type = tensor<4xf32>, qcc.input}, %y: memref<4xf32> {qcc.name = "y", qcc.type = tensor<4xf32>, qcc.output}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    func.call @exp(%x, %y, %c0, %c1) : (memref<4xf32>, memref<4xf32>, index, index) -> ()
    return
  }
}

//--- loop.mlir
module attributes {qcc.level = "avx2"} {
  func.func @main(%x: memref<4xf32> {qcc.name = "x", qcc.type = tensor<4xf32>, qcc.input}, %y: memref<4xf32> {qcc.name = "y", qcc.type = tensor<4xf32>, qcc.output}) {
    %c0 = arith.constant 0 : index
    %0 = memref.load %x[%c0] : memref<4xf32>
    memref.store %0, %y[%c0] : memref<4xf32>
    return
  }
}

//--- tiles.mlir
module attributes {qcc.level = "avx2"} {
  func.func private @k(%x: memref<4xf32>, %y: memref<4xf32>, %b: index, %e: index) attributes {qcc.kernel} {
    return
  }
  func.func @main(%x: memref<4xf32> {qcc.name = "x", qcc.type = tensor<4xf32>, qcc.input}, %y: memref<4xf32> {qcc.name = "y", qcc.type = tensor<4xf32>, qcc.output}) {
    %c1 = arith.constant 1 : index
    func.call @k(%x, %y, %c1, %c1) : (memref<4xf32>, memref<4xf32>, index, index) -> ()
    return
  }
}

//--- bounds.mlir
module attributes {qcc.level = "avx2"} {
  func.func @main(%x: memref<4xf32> {qcc.name = "x", qcc.type = tensor<4xf32>, qcc.input}, %y: memref<4xf32> {qcc.name = "y", qcc.type = tensor<4xf32>, qcc.output}, %arena: memref<64xi8>) {
    %c56 = arith.constant 56 : index
    %0 = memref.view %arena[%c56][] : memref<64xi8> to memref<4xf32>
    return
  }
}

//--- good.mlir
module attributes {qcc.level = "avx2"} {
  func.func private @copy(%x: memref<4xf32>, %y: memref<4xf32>, %b: index, %e: index) attributes {qcc.kernel} {
    memref.copy %x, %y : memref<4xf32> to memref<4xf32>
    return
  }
  func.func @main(%x: memref<4xf32> {qcc.name = "x", qcc.type = tensor<4xf32>, qcc.input}, %y: memref<4xf32> {qcc.name = "y", qcc.type = tensor<4xf32>, qcc.output}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    func.call @copy(%x, %y, %c0, %c1) : (memref<4xf32>, memref<4xf32>, index, index) -> ()
    return
  }
}
