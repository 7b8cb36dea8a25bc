// Two inputs, two outputs; work for several threads.
module attributes {qcc.level = "baseline", qcc.arena_bytes = 256064 : i64} {
  // y = x / 3, one row per tile.
  func.func private @third(%x: memref<64x1000xf32>, %y: memref<64x1000xf32>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    %three = arith.constant 3.0 : f32
    scf.for %i = %begin to %end step %c1 {
      scf.for %j = %c0 to %c1000 step %c1 {
        %0 = memref.load %x[%i, %j] : memref<64x1000xf32>
        %1 = arith.divf %0, %three : f32
        memref.store %1, %y[%i, %j] : memref<64x1000xf32>
      }
    }
    return
  }
  func.func private @negate(%x: memref<8xi8>, %y: memref<8xi8>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c1 = arith.constant 1 : index
    %ones = arith.constant -1 : i8
    scf.for %i = %begin to %end step %c1 {
      %0 = memref.load %x[%i] : memref<8xi8>
      %1 = arith.xori %0, %ones : i8
      memref.store %1, %y[%i] : memref<8xi8>
    }
    return
  }
  func.func @main(%x: memref<64x1000xf32> {qcc.name = "x", qcc.type = tensor<64x1000xf32>, qcc.input},
                  %q: memref<8xi8> {qcc.name = "q", qcc.type = tensor<8x!quant.uniform<u8:f32, 0.5:128>>, qcc.input},
                  %y: memref<64x1000xf32> {qcc.name = "y", qcc.type = tensor<64x1000xf32>, qcc.output},
                  %r: memref<8xi8> {qcc.name = "r", qcc.type = tensor<8x!quant.uniform<u8:f32, 0.5:127>>, qcc.output},
                  %arena: memref<256064xi8>) {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    %c64 = arith.constant 64 : index
    %t = memref.view %arena[%c0][] {qcc.tensor = "x/3", qcc.type = tensor<64x1000xf32>} : memref<256064xi8> to memref<64x1000xf32>
    func.call @third(%x, %t, %c0, %c64) : (memref<64x1000xf32>, memref<64x1000xf32>, index, index) -> () loc("first")
    func.call @third(%t, %y, %c0, %c64) : (memref<64x1000xf32>, memref<64x1000xf32>, index, index) -> () loc("second")
    func.call @negate(%q, %r, %c0, %c8) : (memref<8xi8>, memref<8xi8>, index, index) -> () loc("third")
    return
  }
}
