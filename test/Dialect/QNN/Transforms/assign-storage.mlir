// RUN: qcc-opt %s -qnn-assign-storage=activations=signed -split-input-file | FileCheck %s --check-prefixes=CHECK,SIGNED
// RUN: qcc-opt %s -qnn-assign-storage=activations=unsigned -split-input-file | FileCheck %s --check-prefixes=CHECK,UNSIGNED

!u = !quant.uniform<u8:f32, 0.5:10>
!s = !quant.uniform<i8<-100:127>:f32, 0.25:-3>
!w = !quant.uniform<u8:f32, 0.5:7>

// The plain integers of the graph stay, weights too.
// CHECK-LABEL: func @graph
// CHECK-SAME: (%[[X:.*]]: tensor<1x4xui8>) -> tensor<1x4xi8>
// CHECK: %[[W:.*]] = qnn.constant dense<200> : tensor<4x4xui8> as tensor<4x4x!quant.uniform<u8:f32, 5.000000e-01:7>>
// CHECK: %[[Q:.*]] = qnn.storage_cast %[[X]] : (tensor<1x4xui8>) -> tensor<1x4x!quant.uniform<u8:f32, 5.000000e-01:10>>
// SIGNED: %[[I:.*]] = qnn.requantize %[[Q]] : {{.*}} -> tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01:-118>>
// SIGNED: %[[M:.*]] = qnn.matmul %[[I]], %[[W]] : {{.*}} -> tensor<1x4x!quant.uniform<i8<-100:127>:f32, 2.500000e-01:-3>>
// SIGNED: qnn.storage_cast %[[M]] : {{.*}} -> tensor<1x4xi8>
// UNSIGNED: %[[M:.*]] = qnn.matmul %[[Q]], %[[W]] : {{.*}} -> tensor<1x4x!quant.uniform<u8<28:255>:f32, 2.500000e-01:125>>
// UNSIGNED: %[[O:.*]] = qnn.requantize %[[M]] : {{.*}} -> tensor<1x4x!quant.uniform<i8<-100:127>:f32, 2.500000e-01:-3>>
// UNSIGNED: qnn.storage_cast %[[O]] : {{.*}} -> tensor<1x4xi8>
func.func @graph(%x: tensor<1x4xui8>) -> tensor<1x4xi8> {
  %w = qnn.constant dense<200> : tensor<4x4xui8> as tensor<4x4x!w>
  %0 = qnn.storage_cast %x : (tensor<1x4xui8>) -> tensor<1x4x!u>
  %1 = qnn.matmul %0, %w : (tensor<1x4x!u>, tensor<4x4x!w>) -> tensor<1x4x!s>
  %2 = qnn.storage_cast %1 : (tensor<1x4x!s>) -> tensor<1x4xi8>
  return %2 : tensor<1x4xi8>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>

// A constant that is both weight and activation is split.
// CHECK-LABEL: func @constants
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<[1, 200]> : tensor<2xui8> as tensor<2x!quant.uniform<u8:
// SIGNED-DAG: %[[A:.*]] = qnn.constant dense<[-127, 72]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-118>>
// SIGNED: qnn.binary add %{{.*}}, %[[A]]
// SIGNED: qnn.matmul %{{.*}}, %[[W]]
func.func @constants(%x: tensor<2xf32>) -> tensor<!u> {
  %w = qnn.constant dense<[1, 200]> : tensor<2xui8> as tensor<2x!u>
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<2x!u>
  %1 = qnn.binary add %0, %w : (tensor<2x!u>, tensor<2x!u>) -> tensor<2x!u>
  %2 = qnn.matmul %1, %w : (tensor<2x!u>, tensor<2x!u>) -> tensor<!u>
  return %2 : tensor<!u>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>
!s = !quant.uniform<i8:f32, 0.5:10>

// table[i] = i, as unsigned bits to signed results.
// CHECK-LABEL: func @table
// SIGNED: qnn.lut %{{.*}} {table = dense<"0x808182
// SIGNED-SAME: FF000102
// UNSIGNED: qnn.lut %{{.*}} {table = dense<"0x808182
func.func @table(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<2x!u>
  %1 = qnn.lut %0 {table = dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"> : tensor<256xi8>} : (tensor<2x!u>) -> tensor<2x!s>
  %2 = qnn.dequantize %1 : (tensor<2x!s>) -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

!u = !quant.uniform<u16:f32, 0.5:32768>
!v = !quant.uniform<u16:f32, 0.25:100>

// 16 bits are signed on every level; constants follow.
// CHECK-LABEL: func @words
// CHECK: qnn.constant dense<[-32668, 0]> : tensor<2xi16> as tensor<2x!quant.uniform<i16:f32, 2.500000e-01:-32668>>
// CHECK: qnn.quantize {{.*}} -> tensor<2x!quant.uniform<i16:f32, 5.000000e-01>>
// CHECK: qnn.requantize {{.*}} -> tensor<2x!quant.uniform<u16:f32, 5.000000e-01:32768>>
func.func @words(%x: tensor<2xf32>) -> (tensor<2x!u>, tensor<2xf32>) {
  %c = qnn.constant dense<[100, 32768]> : tensor<2xui16> as tensor<2x!v>
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<2x!u>
  %1 = qnn.dequantize %c : (tensor<2x!v>) -> tensor<2xf32>
  return %0, %1 : tensor<2x!u>, tensor<2xf32>
}
