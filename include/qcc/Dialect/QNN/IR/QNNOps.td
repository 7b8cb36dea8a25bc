#ifndef QCC_DIALECT_QNN_IR_QNNOPS_TD
#define QCC_DIALECT_QNN_IR_QNNOPS_TD

include "qcc/Dialect/QNN/IR/QNNCastOps.td"
include "qcc/Dialect/QNN/IR/QNNElementwiseOps.td"
include "qcc/Dialect/QNN/IR/QNNLinearOps.td"
include "qcc/Dialect/QNN/IR/QNNRecurrentOps.td"
include "qcc/Dialect/QNN/IR/QNNReductionOps.td"
include "qcc/Dialect/QNN/IR/QNNShapeOps.td"

#endif // QCC_DIALECT_QNN_IR_QNNOPS_TD
