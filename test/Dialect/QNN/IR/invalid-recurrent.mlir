// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @rank(%x: tensor<5x12xf32>, %w: tensor<12x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has an input of shape 5x12, expected steps x sequences x gates*hidden}}
  %0:3 = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x12xf32>, tensor<12x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @weights(%x: tensor<5x2x12xf32>, %w: tensor<12x4xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has weights of shape 12x4, expected 4*hidden x hidden}}
  %0:3 = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x4xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @columns(%x: tensor<5x2x10xf32>, %w: tensor<12x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has weights of shape 12x3 for an input of shape 5x2x10}}
  %0:3 = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x10xf32>, tensor<12x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @state(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>, %h: tensor<3x2xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has an initial state of shape 3x2, expected 2x3}}
  %0:3 = qnn.recurrence lstm %x, %w state %h {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x3xf32>, tensor<3x2xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @lengths(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'qnn.recurrence' op has lengths of shape 3, expected 2}}
  %0:3 = qnn.recurrence lstm %x, %w lengths %n {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x3xf32>, tensor<3xi32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @lengths_type(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>, %n: tensor<2xi64>) {
  // expected-error @+1 {{'qnn.recurrence' op needs lengths of i32, has 'i64'}}
  %0:3 = qnn.recurrence lstm %x, %w lengths %n {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x3xf32>, tensor<2xi64>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @activations(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op needs 3 activations, has 2}}
  %0:3 = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @clip(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op needs a positive clip}}
  %0:3 = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>], clip = 0.0 : f32} : (tensor<5x2x12xf32>, tensor<12x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @results(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op infers 3 results, has 2}}
  %0:2 = qnn.recurrence lstm %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @bias(%x: tensor<5x2x12xf32>, %w: tensor<12x3xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has a bias or linear_before_reset, which only a gru has, the bias only with linear_before_reset}}
  %0:3 = qnn.recurrence lstm %x, %w bias %b {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x12xf32>, tensor<12x3xf32>, tensor<3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @cell(%x: tensor<5x2x9xf32>, %w: tensor<9x3xf32>, %h: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has a cell, peepholes or coupled gates, which only an lstm has}}
  %0:2 = qnn.recurrence gru %x, %w cell %h {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x9xf32>, tensor<9x3xf32>, tensor<2x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @types(%x: tensor<5x2x9xf32>, %w: tensor<9x3xf32>, %h: tensor<2x3xf16>) {
  // expected-error @+1 {{'qnn.recurrence' op has operands of 'f32' and 'f16'}}
  %0:2 = qnn.recurrence gru %x, %w state %h {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x9xf32>, tensor<9x3xf32>, tensor<2x3xf16>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @axis(%x: tensor<5x2x9xf32>, %w: tensor<9x3x!quant.uniform<i8:f32:1, {0.1,0.2,0.3}>>) {
  // expected-error @+1 {{'qnn.recurrence' op needs weights quantized per tensor or along axis 0}}
  %0:2 = qnn.recurrence gru %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x9xf32>, tensor<9x3x!quant.uniform<i8:f32:1, {0.1,0.2,0.3}>>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @half(%x: tensor<5x2x9xf16>, %w: tensor<9x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'qnn.recurrence' op computes on f32 where its weights are quantized, not 'f16'}}
  %0:2 = qnn.recurrence gru %x, %w {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x9xf16>, tensor<9x3x!quant.uniform<i8:f32, 0.1>>) -> (tensor<5x2x3xf16>, tensor<2x3xf16>)
  return
}

// -----

func.func @wide_weights(%x: tensor<5x2x3xf16>, %w: tensor<3x3xf32>) {
  // expected-error @+1 {{'qnn.recurrence' op has weights of 'f32' for 'f16'}}
  %0:2 = qnn.recurrence plain %x, %w {activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x3xf16>, tensor<3x3xf32>) -> (tensor<5x2x3xf16>, tensor<2x3xf16>)
  return
}
