#ifndef QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD
#define QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

#endif // QCC_DIALECT_QNN_TRANSFORMS_PASSES_TD
