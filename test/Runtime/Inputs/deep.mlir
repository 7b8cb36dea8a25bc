// A kernel that takes almost all the stack that the header promises to suffice:
// each tile reverses a row of 400000 bytes through its frame.
module attributes {qcc.level = "baseline", qcc.arena_bytes = 64 : i64} {
  func.func private @reverse(%x: memref<8x400000xi8>, %y: memref<8x400000xi8>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %last = arith.constant 399999 : index
    %size = arith.constant 400000 : index
    %s = memref.alloca() : memref<400000xi8>
    scf.for %i = %begin to %end step %c1 {
      scf.for %j = %c0 to %size step %c1 {
        %0 = memref.load %x[%i, %j] : memref<8x400000xi8>
        %to = arith.subi %last, %j : index
        memref.store %0, %s[%to] : memref<400000xi8>
      }
      scf.for %j = %c0 to %size step %c1 {
        %0 = memref.load %s[%j] : memref<400000xi8>
        memref.store %0, %y[%i, %j] : memref<8x400000xi8>
      }
    }
    return
  }
  func.func @main(%x: memref<8x400000xi8> {qcc.name = "x", qcc.type = tensor<8x400000xi8>, qcc.input},
                  %y: memref<8x400000xi8> {qcc.name = "y", qcc.type = tensor<8x400000xi8>, qcc.output},
                  %arena: memref<64xi8>) {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    func.call @reverse(%x, %y, %c0, %c8) : (memref<8x400000xi8>, memref<8x400000xi8>, index, index) -> () loc("reverse")
    return
  }
}
