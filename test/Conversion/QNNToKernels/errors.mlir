// RUN: qcc-opt %s -split-input-file -verify-diagnostics -convert-qnn-to-kernels

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{must be replaced before kernels are emitted}}
  %0 = qnn.observe %x as "x" : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @+1 {{where a kernel needs a tensor of static shape}}
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{only qnn operations may stand in @main}}
  %0 = arith.addi %x, %x : tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// expected-error @+1 {{has no @main to convert}}
module {}
