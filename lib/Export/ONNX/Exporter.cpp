//===- Exporter.cpp - The qnn dialect to ONNX files -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Export/ONNX/Exporter.h"

#include "GraphBuilder.h"

#include "qcc/Dialect/QNN/IR/RecurrenceFunction.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::onnx_export;

/// Whether ONNX has this function of integers only since opset 18.
static bool isBitwise(qnn::BinaryOp op) {
  qnn::BinaryKind kind = op.getKind();
  return (kind == qnn::BinaryKind::And || kind == qnn::BinaryKind::Or ||
          kind == qnn::BinaryKind::Xor) &&
         !getElementTypeOrSelf(op.getType()).isInteger(1);
}

/// Per-axis quantization came with 13; 16- and 4-bit integers, blocks and
/// wrapped padding with 21, and some ops in between.
static int64_t chooseOpset(func::FuncOp main) {
  int64_t opset = 13;
  main.walk([&](Operation *op) {
    for (Type type : op->getResultTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      auto quantized =
          tensor ? dyn_cast<quant::QuantizedType>(tensor.getElementType())
                 : quant::QuantizedType();
      if (quantized && quantized.getStorageTypeIntegralWidth() != 8 &&
          quantized.getStorageTypeIntegralWidth() != 32)
        opset = 21;
    }
    if (isa<qnn::BlockMatmulOp, qnn::GridSampleOp, qnn::RoiAlignOp>(op))
      opset = 21;
    if (auto binary = dyn_cast<qnn::BinaryOp>(op); binary && isBitwise(binary))
      opset = 21;
    if (auto scatter = dyn_cast<qnn::ScatterElementsOp>(op);
        scatter && scatter.getReduction() != qnn::ScatterReduction::None)
      opset = 21;
    if (auto scatter = dyn_cast<qnn::ScatterNDOp>(op);
        scatter && scatter.getReduction() != qnn::ScatterReduction::None)
      opset = 21;
    if (auto pad = dyn_cast<qnn::PadOp>(op);
        pad && pad.getMode() == qnn::PadMode::Wrap)
      opset = 21;
  });
  return opset;
}

/// The ops of which something is written to the file. Blocks and recurrent
/// layers have other operands there, so that what is in front of them may not
/// be.
static DenseSet<Operation *> findNeeded(Block &block) {
  DenseSet<Value> used;
  used.insert_range(block.getTerminator()->getOperands());
  DenseSet<Operation *> needed;
  for (Operation &op : llvm::reverse(block.without_terminator())) {
    if (llvm::none_of(op.getResults(),
                      [&](Value result) { return used.contains(result); }))
      continue;
    needed.insert(&op);
    SmallVector<Value> operands(op.getOperands());
    if (auto recurrence = dyn_cast<qnn::RecurrenceOp>(op)) {
      operands.clear();
      collectOperands(recurrence, operands);
    } else if (auto blocks = dyn_cast<qnn::BlockMatmulOp>(op)) {
      operands = {blocks.getInput()};
    }
    used.insert_range(operands);
  }
  return needed;
}

static std::string nodeName(Operation *op) {
  std::string name;
  auto collect = [&](auto self, Location loc) -> void {
    if (auto named = dyn_cast<NameLoc>(loc))
      name = named.getName().str();
    else if (auto fused = dyn_cast<FusedLoc>(loc))
      for (Location part : fused.getLocations())
        self(self, part);
  };
  collect(collect, op->getLoc());
  return name.empty() ? op->getName().stripDialect().str() : name;
}

static void describe(onnx::ValueInfoProto *info, const std::string &name,
                     Type type) {
  auto tensor = cast<RankedTensorType>(type);
  info->set_name(name);
  onnx::TypeProto::Tensor *proto = info->mutable_type()->mutable_tensor_type();
  proto->set_elem_type(int32_t(qnn::getDType(tensor.getElementType())));
  auto *shape = proto->mutable_shape();
  for (int64_t extent : tensor.getShape())
    shape->add_dim()->set_dim_value(extent);
}

static std::string nameOr(StringAttr attr, const char *what, size_t index) {
  return attr ? attr.str() : what + std::to_string(index);
}

std::optional<std::string> qcc::exportONNX(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || !llvm::hasSingleElement(main.getBody())) {
    module.emitError("there is no function 'main' of one block to export");
    return std::nullopt;
  }
  onnx::ModelProto model;
  int64_t opset = chooseOpset(main);
  model.set_ir_version(opset < 21 ? 7 : 10);
  model.set_producer_name("qcc");
  model.add_opset_import()->set_version(opset);
  onnx::GraphProto *proto = model.mutable_graph();
  proto->set_name("main");
  GraphBuilder graph(*proto, opset);

  // Names that the user knows come first, so that nothing else takes them.
  for (BlockArgument argument : main.getArguments()) {
    unsigned index = argument.getArgNumber();
    std::string name = graph.uniqueName(nameOr(
        main.getArgAttrOfType<StringAttr>(index, "qnn.name"), "input_", index));
    graph.define(argument, name);
    describe(proto->add_input(), name, argument.getType());
  }
  std::vector<std::string> outputs;
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    outputs.push_back(graph.uniqueName(nameOr(
        main.getResultAttrOfType<StringAttr>(i, "qnn.name"), "output_", i)));

  DenseSet<Operation *> needed = findNeeded(main.getBody().front());
  for (Operation &op : main.getBody().front().without_terminator()) {
    // The op in front of it may have given its result.
    if (!needed.contains(&op) ||
        (op.getNumResults() == 1 && graph.isDefined(op.getResult(0))))
      continue;
    graph.setScope(nodeName(&op));
    if (!exportOp(graph, &op)) {
      InFlightDiagnostic error =
          op.emitError("has no form in ONNX that the exporter knows (")
          << op.getName() << ")";
      if (isa<qnn::RecurrenceOp>(op))
        error << "; -export-recurrence=float writes layers with float states";
      return std::nullopt;
    }
  }
  Operation *terminator = main.getBody().front().getTerminator();
  for (auto [value, name] : llvm::zip(terminator->getOperands(), outputs)) {
    // An output has a name of its own, whatever else uses the value.
    graph.setScope(name);
    graph.alias(name, graph.name(value));
    describe(proto->add_output(), name, value.getType());
  }
  if (!graph.functions().empty()) {
    model.set_ir_version(std::max<int64_t>(model.ir_version(), 8));
    onnx::OperatorSetIdProto *import = model.add_opset_import();
    import->set_domain(qnn::kFunctionDomain);
    import->set_version(1);
    for (const onnx::FunctionProto &function : graph.functions())
      *model.add_functions() = function;
  }
  if (model.ByteSizeLong() > size_t(std::numeric_limits<int32_t>::max())) {
    module.emitError("the model is larger than the 2 GB of an ONNX file");
    return std::nullopt;
  }
  return model.SerializeAsString();
}
