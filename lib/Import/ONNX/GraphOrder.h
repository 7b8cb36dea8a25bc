//===- GraphOrder.h - Nodes in dependency order ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_GRAPHORDER_H
#define QCC_LIB_IMPORT_ONNX_GRAPHORDER_H

#include "ModelFile.h"

#include "llvm/ADT/StringSet.h"

namespace qcc::import {

using NodeList = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

/// The nodes that the outputs need, each after those it reads from.
struct GraphOrder {
  std::vector<const onnx::NodeProto *> nodes;
  llvm::StringSet<> used; ///< names that a node or an output reads
};

/// "name", or the first output of a node without one.
llvm::StringRef nodeName(const onnx::NodeProto &node);

/// Orders `nodes`. `isDefined` tells whether a name has a value without them
/// (inputs, initializers, enclosing graphs), and `isLocal` whether it may not
/// be defined again. Duplicates, cycles and names without a value are reported
/// through `emitError`, as a problem of the given node (null: of the graph).
std::optional<GraphOrder>
orderNodes(const NodeList &nodes, llvm::ArrayRef<llvm::StringRef> outputs,
           llvm::function_ref<bool(llvm::StringRef)> isDefined,
           llvm::function_ref<bool(llvm::StringRef)> isLocal,
           llvm::function_ref<mlir::InFlightDiagnostic(const onnx::NodeProto *)>
               emitError);

/// The names of what `outputs` depend on, themselves included, also through
/// what subgraphs capture.
llvm::StringSet<> namesBehind(const NodeList &nodes,
                              llvm::ArrayRef<llvm::StringRef> outputs);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_GRAPHORDER_H
