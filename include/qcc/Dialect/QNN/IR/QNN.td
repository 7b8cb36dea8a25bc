#ifndef QCC_DIALECT_QNN_IR_QNN_TD
#define QCC_DIALECT_QNN_IR_QNN_TD

// All op families, for the documentation.
include "qcc/Dialect/QNN/IR/QNNBlockOps.td"
include "qcc/Dialect/QNN/IR/QNNIndexingOps.td"
include "qcc/Dialect/QNN/IR/QNNOps.td"

#endif // QCC_DIALECT_QNN_IR_QNN_TD
