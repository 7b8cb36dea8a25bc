// A step with rounds that the caller's threads share, one that is too short for
// them, and one step without.
module attributes {qcc.level = "baseline", qcc.arena_bytes = 512 : i64} {
  memref.global "private" constant @large : memref<262144xf32> = dense<0.5> {alignment = 64 : i64}
  memref.global "private" constant @small : memref<16384xf32> = dense<0.25> {alignment = 64 : i64}

  // y[0] = x, y[r][i] = y[r - 1][63 - i] * w + x[i]: all of a round needs all of
  // the one before.
  func.func private @long(%w: memref<262144xf32>, %x: memref<64xf32>, %y: memref<40x64xf32>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c63 = arith.constant 63 : index
    %c64 = arith.constant 64 : index
    scf.for %t = %begin to %end step %c1 {
      %r = arith.divui %t, %c64 : index
      %i = arith.remui %t, %c64 : index
      %0 = memref.load %x[%i] : memref<64xf32>
      %first = arith.cmpi eq, %r, %c0 : index
      %1 = scf.if %first -> f32 {
        scf.yield %0 : f32
      } else {
        %before = arith.subi %r, %c1 : index
        %other = arith.subi %c63, %i : index
        %2 = memref.load %y[%before, %other] : memref<40x64xf32>
        %3 = memref.load %w[%i] : memref<262144xf32>
        %4 = arith.mulf %2, %3 : f32
        %5 = arith.addf %4, %0 : f32
        scf.yield %5 : f32
      }
      memref.store %1, %y[%r, %i] : memref<40x64xf32>
    }
    return
  }
  // y[r][i] = y[r - 1][15 - i] + w[i], from y[0] = 0.
  func.func private @short(%w: memref<16384xf32>, %y: memref<10x16xf32>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c15 = arith.constant 15 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant 0.0 : f32
    scf.for %t = %begin to %end step %c1 {
      %r = arith.divui %t, %c16 : index
      %i = arith.remui %t, %c16 : index
      %first = arith.cmpi eq, %r, %c0 : index
      %1 = scf.if %first -> f32 {
        scf.yield %zero : f32
      } else {
        %before = arith.subi %r, %c1 : index
        %other = arith.subi %c15, %i : index
        %2 = memref.load %y[%before, %other] : memref<10x16xf32>
        %3 = memref.load %w[%i] : memref<16384xf32>
        %4 = arith.addf %2, %3 : f32
        scf.yield %4 : f32
      }
      memref.store %1, %y[%r, %i] : memref<10x16xf32>
    }
    return
  }
  func.func private @double(%x: memref<64x500xf32>, %y: memref<64x500xf32>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c500 = arith.constant 500 : index
    scf.for %i = %begin to %end step %c1 {
      scf.for %j = %c0 to %c500 step %c1 {
        %0 = memref.load %x[%i, %j] : memref<64x500xf32>
        %1 = arith.addf %0, %0 : f32
        memref.store %1, %y[%i, %j] : memref<64x500xf32>
      }
    }
    return
  }
  func.func @main(%x: memref<64xf32> {qcc.name = "x", qcc.type = tensor<64xf32>, qcc.input},
                  %m: memref<64x500xf32> {qcc.name = "m", qcc.type = tensor<64x500xf32>, qcc.input},
                  %y: memref<40x64xf32> {qcc.name = "y", qcc.type = tensor<40x64xf32>, qcc.output},
                  %s: memref<10x16xf32> {qcc.name = "s", qcc.type = tensor<10x16xf32>, qcc.output},
                  %d: memref<64x500xf32> {qcc.name = "d", qcc.type = tensor<64x500xf32>, qcc.output}) {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c160 = arith.constant 160 : index
    %c2560 = arith.constant 2560 : index
    %large = memref.get_global @large : memref<262144xf32>
    %small = memref.get_global @small : memref<16384xf32>
    func.call @long(%large, %x, %y, %c0, %c2560) {qcc.rounds = 40 : i64} : (memref<262144xf32>, memref<64xf32>, memref<40x64xf32>, index, index) -> ()
    func.call @short(%small, %s, %c0, %c160) {qcc.rounds = 10 : i64} : (memref<16384xf32>, memref<10x16xf32>, index, index) -> ()
    func.call @double(%m, %d, %c0, %c64) : (memref<64x500xf32>, memref<64x500xf32>, index, index) -> ()
    return
  }
}
