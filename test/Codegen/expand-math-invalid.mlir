// RUN: qcc-opt %s --qcc-expand-math -verify-diagnostics

// Every function without an expansion is named, not only the first.
func.func @unsupported(%x: f64, %y: f32, %z: vector<4xf32>) {
  // expected-error @+1 {{no expansion of this function for 'f64'; use float32}}
  %0 = math.exp %x : f64
  // expected-error @+1 {{no expansion of this function to arithmetic}}
  %1 = math.cbrt %y : f32
  // expected-error @+1 {{no expansion of the remainder for 'vector<4xf32>'}}
  %2 = arith.remf %z, %z : vector<4xf32>
  return
}
