// RUN: qcc-opt %s -split-input-file -qcc-model-costs | FileCheck %s

// Each call has 300 cycles of its own. A sum waits for the one before it: 100
// times 4 cycles in each of 10 tiles. The same with six sums, twelve products in
// an iteration, at two products a cycle.
module attributes {qcc.level = "avx2"} {
  func.func private @chain(%in: memref<800xf32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c100 = arith.constant 100 : index
    %zero = arith.constant dense<0.0> : vector<8xf32>
    scf.for %tile = %begin to %end step %c1 {
      %sum = scf.for %i = %c0 to %c100 step %c1 iter_args(%s = %zero) -> vector<8xf32> {
        %v = vector.load %in[%i] : memref<800xf32>, vector<8xf32>
        %next = math.fma %v, %v, %s : vector<8xf32>
        scf.yield %next : vector<8xf32>
      }
      vector.store %sum, %in[%tile] : memref<800xf32>, vector<8xf32>
    }
    return
  }
  func.func private @rate(%in: memref<800xf32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c100 = arith.constant 100 : index
    %zero = arith.constant dense<0.0> : vector<8xf32>
    scf.for %tile = %begin to %end step %c1 {
      %sum:6 = scf.for %i = %c0 to %c100 step %c1
          iter_args(%a = %zero, %b = %zero, %c = %zero, %d = %zero, %e = %zero, %f = %zero)
          -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
        %v = vector.load %in[%i] : memref<800xf32>, vector<8xf32>
        %a1 = math.fma %v, %v, %a : vector<8xf32>
        %b1 = math.fma %v, %v, %b : vector<8xf32>
        %c2 = math.fma %v, %v, %c : vector<8xf32>
        %d1 = math.fma %v, %v, %d : vector<8xf32>
        %e1 = math.fma %v, %v, %e : vector<8xf32>
        %f1 = math.fma %v, %v, %f : vector<8xf32>
        %w0 = arith.mulf %v, %v : vector<8xf32>
        %w1 = arith.mulf %w0, %v : vector<8xf32>
        %w2 = arith.mulf %w1, %v : vector<8xf32>
        %w3 = arith.mulf %w2, %v : vector<8xf32>
        %w4 = arith.mulf %w3, %v : vector<8xf32>
        %w5 = arith.mulf %w4, %v : vector<8xf32>
        scf.yield %a1, %b1, %c2, %d1, %e1, %f1 : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
      }
      vector.store %sum#0, %in[%tile] : memref<800xf32>, vector<8xf32>
    }
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main(%in: memref<800xf32>) {
    %c0 = arith.constant 0 : index
    %c10 = arith.constant 10 : index
    // CHECK: call @chain{{.*}} {qcc.cycles = 4305 : i64}
    call @chain(%in, %c0, %c10) : (memref<800xf32>, index, index) -> ()
    // CHECK: call @rate{{.*}} {qcc.cycles = 6305 : i64}
    call @rate(%in, %c0, %c10) : (memref<800xf32>, index, index) -> ()
    return
  }
}

// -----

// Of two branches the one that is taken counts, half of the time here; where data
// decide, both do by half. Bounds are computed.
module attributes {qcc.level = "avx2"} {
  func.func private @branches(%in: memref<800xf32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c40 = arith.constant 40 : index
    scf.for %tile = %begin to %end step %c1 {
      %odd = arith.remui %tile, %c2 : index
      %isOdd = arith.cmpi ne, %odd, %c0 : index
      scf.if %isOdd {
        %trips = arith.muli %tile, %c40 : index
        scf.for %i = %c0 to %trips step %c1 {
          %v = vector.load %in[%i] : memref<800xf32>, vector<8xf32>
          %r = arith.divf %v, %v : vector<8xf32>
          vector.store %r, %in[%i] : memref<800xf32>, vector<8xf32>
        }
      }
    }
    return
  }
  func.func private @data(%in: memref<800xf32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c100 = arith.constant 100 : index
    %zero = arith.constant 0.0 : f32
    %x = memref.load %in[%begin] : memref<800xf32>
    %positive = arith.cmpf ogt, %x, %zero : f32
    scf.if %positive {
      scf.for %i = %c0 to %c100 step %c1 {
        %v = vector.load %in[%i] : memref<800xf32>, vector<8xf32>
        %r = arith.divf %v, %v : vector<8xf32>
        vector.store %r, %in[%i] : memref<800xf32>, vector<8xf32>
      }
    }
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main(%in: memref<800xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    // Tiles 1 and 3: 40 and 120 divisions of 5 cycles.
    // CHECK: call @branches{{.*}} {qcc.cycles = 1101 : i64}
    call @branches(%in, %c0, %c4) : (memref<800xf32>, index, index) -> ()
    // CHECK: call @data{{.*}} {qcc.cycles = 550 : i64}
    call @data(%in, %c0, %c1) : (memref<800xf32>, index, index) -> ()
    return
  }
}

// -----

// Loops without vectors become vectors where their accesses are neighbours; what
// is large is bound by memory, 7 bytes a cycle.
module attributes {qcc.level = "avx2"} {
  func.func private @neighbours(%in: memref<64x800xf32>, %out: memref<64x800xf32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c800 = arith.constant 800 : index
    scf.for %tile = %begin to %end step %c1 {
      scf.for %i = %c0 to %c800 step %c1 {
        %x = memref.load %in[%tile, %i] : memref<64x800xf32>
        %y = arith.divf %x, %x : f32
        memref.store %y, %out[%tile, %i] : memref<64x800xf32>
      }
    }
    return
  }
  func.func private @columns(%in: memref<64x800xf32>, %out: memref<64x800xf32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    scf.for %tile = %begin to %end step %c1 {
      scf.for %i = %c0 to %c64 step %c1 {
        %x = memref.load %in[%i, %tile] : memref<64x800xf32>
        %y = arith.divf %x, %x : f32
        memref.store %y, %out[%i, %tile] : memref<64x800xf32>
      }
    }
    return
  }
  func.func private @large(%in: memref<7000000xi8>, %begin: index, %end: index) {
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main(%in: memref<64x800xf32>, %out: memref<64x800xf32>, %large: memref<7000000xi8>) {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c800 = arith.constant 800 : index
    // CHECK: call @neighbours{{.*}} {qcc.cycles = 32305 : i64}
    call @neighbours(%in, %out, %c0, %c64) : (memref<64x800xf32>, memref<64x800xf32>, index, index) -> ()
    // CHECK: call @columns{{.*}} {qcc.cycles = 256367 : i64}
    call @columns(%in, %out, %c0, %c800) : (memref<64x800xf32>, memref<64x800xf32>, index, index) -> ()
    // CHECK: call @large{{.*}} {qcc.cycles = 1000300 : i64}
    call @large(%large, %c0, %c64) : (memref<7000000xi8>, index, index) -> ()
    return
  }
}

// -----

// A dot product of 64 bytes is one instruction at 16 bytes in a register of
// arm64 four, as are its loads.
module attributes {qcc.level = "dotprod"} {
  func.func private @dots(%in: memref<6400xi8>, %out: memref<16xi32>, %begin: index, %end: index) {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c6400 = arith.constant 6400 : index
    %zero = arith.constant dense<0> : vector<16xi32>
    %sum = scf.for %i = %c0 to %c6400 step %c64 iter_args(%s = %zero) -> vector<16xi32> {
      %v = vector.load %in[%i] : memref<6400xi8>, vector<64xi8>
      %next = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v16i32.v64i8"(%s, %v, %v) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
      scf.yield %next : vector<16xi32>
    }
    vector.store %sum, %out[%c0] : memref<16xi32>, vector<16xi32>
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main(%in: memref<6400xi8>, %out: memref<16xi32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // Four dot products take two cycles, and the next one waits for four.
    // CHECK: call @dots{{.*}} {qcc.cycles = 704 : i64}
    call @dots(%in, %out, %c0, %c1) : (memref<6400xi8>, memref<16xi32>, index, index) -> ()
    return
  }
}

// -----

// Of a matrix unit loads and products overlap.
module attributes {qcc.level = "amx"} {
  func.func private @tiles(%begin: index, %end: index) {
    %c1 = arith.constant 1 : index
    %t = arith.constant 0 : i8
    %stride = arith.constant 64 : i64
    %null = llvm.mlir.zero : !llvm.ptr
    scf.for %tile = %begin to %end step %c1 {
      llvm.call_intrinsic "llvm.x86.tileloadd64"(%t, %null, %stride) : (i8, !llvm.ptr, i64) -> ()
      llvm.call_intrinsic "llvm.x86.tdpbusd"(%t, %t, %t) : (i8, i8, i8) -> ()
    }
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main() {
    %c0 = arith.constant 0 : index
    %c10 = arith.constant 10 : index
    // CHECK: call @tiles{{.*}} {qcc.cycles = 460 : i64}
    call @tiles(%c0, %c10) : (index, index) -> ()
    return
  }
}

// -----

// A recurrent layer reads its weights at each of ten steps: 20,000 cycles each.
module attributes {qcc.level = "avx2"} {
  memref.global "private" constant @weights : memref<160000xf32> = dense<1.0>
  func.func private @recurrent(%w: memref<160000xf32>, %out: memref<8xf32>, %begin: index, %end: index)
      attributes {qcc.constant_reads = 10 : i64} {
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main(%out: memref<8xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %w = memref.get_global @weights : memref<160000xf32>
    // CHECK: call @recurrent{{.*}}qcc.cycles = 200301 : i64
    call @recurrent(%w, %out, %c0, %c1) {qcc.macs = 1600000 : i64} : (memref<160000xf32>, memref<8xf32>, index, index) -> ()
    return
  }
}

// -----

// An index that is computed in many steps of two equal operands each.
module attributes {qcc.level = "avx2"} {
  func.func private @chain(%in: memref<800xf32>, %a0: index, %end: index) {
    %c1 = arith.constant 1 : index
    scf.for %i = %a0 to %end step %c1 {
      %a1 = arith.addi %a0, %a0 : index
      %a2 = arith.addi %a1, %a1 : index
      %a3 = arith.addi %a2, %a2 : index
      %a4 = arith.addi %a3, %a3 : index
      %a5 = arith.addi %a4, %a4 : index
      %a6 = arith.addi %a5, %a5 : index
      %a7 = arith.addi %a6, %a6 : index
      %a8 = arith.addi %a7, %a7 : index
      %a9 = arith.addi %a8, %a8 : index
      %a10 = arith.addi %a9, %a9 : index
      %a11 = arith.addi %a10, %a10 : index
      %a12 = arith.addi %a11, %a11 : index
      %a13 = arith.addi %a12, %a12 : index
      %a14 = arith.addi %a13, %a13 : index
      %a15 = arith.addi %a14, %a14 : index
      %a16 = arith.addi %a15, %a15 : index
      %a17 = arith.addi %a16, %a16 : index
      %a18 = arith.addi %a17, %a17 : index
      %a19 = arith.addi %a18, %a18 : index
      %a20 = arith.addi %a19, %a19 : index
      %a21 = arith.addi %a20, %a20 : index
      %a22 = arith.addi %a21, %a21 : index
      %a23 = arith.addi %a22, %a22 : index
      %a24 = arith.addi %a23, %a23 : index
      %a25 = arith.addi %a24, %a24 : index
      %a26 = arith.addi %a25, %a25 : index
      %a27 = arith.addi %a26, %a26 : index
      %a28 = arith.addi %a27, %a27 : index
      %a29 = arith.addi %a28, %a28 : index
      %a30 = arith.addi %a29, %a29 : index
      %a31 = arith.addi %a30, %a30 : index
      %a32 = arith.addi %a31, %a31 : index
      %a33 = arith.addi %a32, %a32 : index
      %a34 = arith.addi %a33, %a33 : index
      %a35 = arith.addi %a34, %a34 : index
      %a36 = arith.addi %a35, %a35 : index
      %a37 = arith.addi %a36, %a36 : index
      %a38 = arith.addi %a37, %a37 : index
      %a39 = arith.addi %a38, %a38 : index
      %a40 = arith.addi %a39, %a39 : index
      %a41 = arith.addi %a40, %a40 : index
      %a42 = arith.addi %a41, %a41 : index
      %a43 = arith.addi %a42, %a42 : index
      %a44 = arith.addi %a43, %a43 : index
      %a45 = arith.addi %a44, %a44 : index
      %a46 = arith.addi %a45, %a45 : index
      %a47 = arith.addi %a46, %a46 : index
      %a48 = arith.addi %a47, %a47 : index
      %j = arith.addi %i, %a48 : index
      %v = memref.load %in[%j] : memref<800xf32>
      memref.store %v, %in[%i] : memref<800xf32>
    }
    return
  }
  // CHECK-LABEL: func.func @main
  func.func @main(%in: memref<800xf32>) {
    %c0 = arith.constant 0 : index
    %c10 = arith.constant 10 : index
    // CHECK: call @chain{{.*}}qcc.cycles
    call @chain(%in, %c0, %c10) : (memref<800xf32>, index, index) -> ()
    return
  }
}
