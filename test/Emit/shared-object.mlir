// RUN: qcc-emit %s -o %t.so -emit-header=%t.h
// RUN: llvm-readelf --dyn-syms -d %t.so | FileCheck %s --check-prefix=ELF
// RUN: FileCheck %s --check-prefix=HEADER < %t.h
// RUN: qcc-emit %s -jit | FileCheck %s --check-prefix=JIT

// Nothing is needed from outside but a weak thread library.
// ELF-NOT: NEEDED
// ELF: Symbol table '.dynsym'
// ELF-DAG: WEAK {{.*}} UND pthread_create
// ELF-DAG: WEAK {{.*}} UND pthread_join
// ELF-DAG: WEAK {{.*}} UND pthread_attr_init
// ELF-DAG: WEAK {{.*}} UND pthread_attr_setstacksize
// ELF-DAG: WEAK {{.*}} UND pthread_attr_destroy
// ELF-NOT: UND {{.+}}
// ELF: qcc_run
// ELF-NOT: UND {{.+}}

// HEADER: input 0 'input' f32[1x16]
// HEADER: output 0 'output' f32[1x16]
// HEADER: #define QCC_ABI_VERSION
// HEADER: #define QCC_ARENA_BYTES
// HEADER: #define QCC_INPUT_0_BYTES 64u
// HEADER: QCC_DECLARE_MODEL(qcc_)

// Twice the bias: 0, 2.0, 4.0, 6.0.
// JIT: output: 0 0 0 0 0 0 0 64 0 0 128 64 0 0 192 64

module attributes {qcc.level = "avx2", qcc.arena_bytes = 256 : i64} {
  memref.global "private" constant @bias : memref<16xf32> = dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]> {alignment = 64 : i64}
  func.func private @add(%x: memref<16xf32>, %b: memref<16xf32>, %y: memref<16xf32>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c1 = arith.constant 1 : index
    scf.for %i = %begin to %end step %c1 {
      %0 = memref.load %x[%i] : memref<16xf32>
      %1 = memref.load %b[%i] : memref<16xf32>
      %2 = arith.addf %0, %1 : f32
      memref.store %2, %y[%i] : memref<16xf32>
    }
    return
  }
  func.func @main(%x: memref<1x16xf32> {qcc.name = "input", qcc.type = tensor<1x16xf32>, qcc.input},
                  %y: memref<1x16xf32> {qcc.name = "output", qcc.type = tensor<1x16xf32>, qcc.output},
                  %arena: memref<256xi8>) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %b = memref.get_global @bias : memref<16xf32>
    %xv = memref.collapse_shape %x [[0, 1]] : memref<1x16xf32> into memref<16xf32>
    %yv = memref.collapse_shape %y [[0, 1]] : memref<1x16xf32> into memref<16xf32>
    %t = memref.view %arena[%c64][] {qcc.tensor = "t", qcc.type = tensor<16xf32>} : memref<256xi8> to memref<16xf32>
    func.call @add(%xv, %b, %t, %c0, %c16) : (memref<16xf32>, memref<16xf32>, memref<16xf32>, index, index) -> () loc(fused["conv1", "relu1"])
    func.call @add(%t, %b, %yv, %c0, %c16) : (memref<16xf32>, memref<16xf32>, memref<16xf32>, index, index) -> () loc("add2")
    return
  }
}
