// RUN: not qcc-opt %s -qcc-model-costs 2>&1 | FileCheck %s
// CHECK: error: has no kernels of a level whose costs are known
module attributes {qcc.level = "abacus"} {
  func.func @main() {
    return
  }
}
