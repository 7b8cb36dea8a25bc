//===- Importer.cpp - ONNX files to the qnn dialect ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Import/ONNX/Importer.h"

#include "GraphImporter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;

static constexpr char kNameAttr[] = "qnn.name";

void qcc::registerImportDialects(DialectRegistry &registry) {
  registry.insert<qnn::QNNDialect, quant::QuantDialect, func::FuncDialect>();
}

namespace {
/// Builds @main from the graph of a model.
class MainBuilder {
public:
  MainBuilder(ModelFile &model, OpBuilder &builder, StringAttr fileName,
              const ImportOptions &options)
      : model(model), builder(builder), importer(model, builder, fileName),
        options(options) {}

  LogicalResult build(ModuleOp module);

private:
  LogicalResult selectInputs();
  LogicalResult selectOutputs();
  LogicalResult bindShapes();
  LogicalResult bindNamed(const onnx::ValueInfoProto &input,
                          ArrayRef<int64_t> shape);
  std::optional<SmallVector<int64_t>>
  shapeOfInput(const onnx::ValueInfoProto &input);
  FailureOr<Value> outputValue(StringRef name, const Scope &scope);

  ModelFile &model;
  OpBuilder &builder;
  GraphImporter importer;
  const ImportOptions &options;
  SmallVector<const onnx::ValueInfoProto *> inputs;
  SmallVector<StringRef> outputs;
  llvm::StringMap<int64_t> symbols; ///< extents of named dimensions
};
} // namespace

/// Graph inputs without those that have a default value; before IR version 4
/// every initializer was an input, too.
LogicalResult MainBuilder::selectInputs() {
  const onnx::GraphProto &graph = model.proto().graph();
  llvm::StringSet<> initializers, names;
  for (const onnx::TensorProto &tensor : graph.initializer())
    initializers.insert(tensor.name());
  for (const onnx::ValueInfoProto &input : graph.input()) {
    if (!names.insert(input.name()).second)
      return importer.error()
             << "input \"" << input.name() << "\" is declared twice";
    if (!initializers.contains(input.name()) ||
        options.shapes.contains(input.name()))
      inputs.push_back(&input);
  }
  for (const auto &entry : options.shapes)
    if (!names.contains(entry.first())) {
      InFlightDiagnostic diag = importer.error()
                                << "-shape names \"" << entry.first()
                                << "\", which is no input of the model; its "
                                   "inputs are";
      for (const onnx::ValueInfoProto *input : inputs)
        diag << " \"" << input->name() << "\"";
      return diag;
    }
  return success();
}

/// The outputs of the graph, or those that the user names.
LogicalResult MainBuilder::selectOutputs() {
  const onnx::GraphProto &graph = model.proto().graph();
  llvm::StringSet<> names, chosen;
  if (options.outputs.empty()) {
    for (const onnx::ValueInfoProto &output : graph.output()) {
      if (!chosen.insert(output.name()).second)
        return importer.error()
               << "output \"" << output.name() << "\" is declared twice";
      outputs.push_back(output.name());
    }
    if (outputs.empty())
      return importer.error() << "the graph has no outputs"
                              << (graph.node().empty() ? " and no nodes" : "");
    return success();
  }
  for (const onnx::ValueInfoProto *input : inputs)
    names.insert(input->name());
  for (const onnx::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      names.insert(output);
  for (StringRef output : options.outputs) {
    if (output.empty() || !names.contains(output))
      return importer.error()
             << "-outputs names \"" << output
             << "\", which is no input of the graph and no output of its nodes";
    if (!chosen.insert(output).second)
      return importer.error() << "-outputs names \"" << output << "\" twice";
    outputs.push_back(output);
  }
  return success();
}

/// Whether dimensions of this name are equal; some exporters write "?" for
/// every dimension that they do not know.
static bool isSymbol(const onnx::TensorShapeProto::Dimension &dim) {
  return !dim.dim_param().empty() && dim.dim_param() != "?";
}

/// Checks a shape given by the user and binds the symbols of the input to it.
LogicalResult MainBuilder::bindNamed(const onnx::ValueInfoProto &input,
                                     ArrayRef<int64_t> shape) {
  auto problem = [&]() {
    return importer.error()
           << "-shape=" << input.name() << ":" << shapeToString(shape) << ": ";
  };
  if (!countElements(shape))
    return problem() << "dimensions must be positive and the tensor not larger "
                        "than 2^40 elements";
  const onnx::TypeProto::Tensor &type = input.type().tensor_type();
  if (!type.has_shape())
    return success();
  if (type.shape().dim_size() != int(shape.size()))
    return problem() << "the input has rank " << type.shape().dim_size();
  for (auto [i, dim] : llvm::enumerate(shape)) {
    const auto &declared = type.shape().dim(int(i));
    if (declared.has_dim_value() && declared.dim_value() > 0 &&
        declared.dim_value() != dim)
      return problem() << "dimension " << i << " is fixed to "
                       << declared.dim_value() << " in the model";
    if (isSymbol(declared)) {
      auto [it, isNew] = symbols.try_emplace(declared.dim_param(), dim);
      if (!isNew && it->second != dim)
        return problem() << "dimension " << i << " (\"" << declared.dim_param()
                         << "\") is " << it->second << " in another input";
    }
  }
  return success();
}

/// Binds symbols to what the user gives; where outputs are named, inputs that
/// none of them depends on need no shape and are left out.
LogicalResult MainBuilder::bindShapes() {
  for (const onnx::ValueInfoProto *input : inputs) {
    auto it = options.shapes.find(input->name());
    if (it != options.shapes.end() && failed(bindNamed(*input, it->second)))
      return failure();
  }
  if (!options.outputs.empty()) {
    llvm::StringSet<> needed =
        namesBehind(model.proto().graph().node(), outputs);
    llvm::erase_if(inputs, [&](const onnx::ValueInfoProto *input) {
      return !needed.contains(input->name());
    });
  }
  for (const onnx::ValueInfoProto *input : inputs)
    if (!input->type().has_tensor_type())
      return importer.error()
             << "input \"" << input->name()
             << "\" is no tensor (a sequence, map or optional value), which "
                "is not supported";
  return success();
}

std::optional<SmallVector<int64_t>>
MainBuilder::shapeOfInput(const onnx::ValueInfoProto &input) {
  StringRef name = input.name();
  auto given = options.shapes.find(name);
  if (given != options.shapes.end())
    return SmallVector<int64_t>(given->second);
  const onnx::TypeProto::Tensor &type = input.type().tensor_type();
  if (!type.has_shape()) {
    importer.error() << "input \"" << name << "\" has no shape; give one with "
                     << "-shape=" << name << ":...";
    return std::nullopt;
  }

  SmallVector<int64_t> shape;
  SmallVector<std::string> unbound, printed;
  bool bindsBatch = false;
  for (auto [i, dim] : llvm::enumerate(type.shape().dim())) {
    // Some exporters write -1 for an unknown dimension.
    bool isKnown = dim.has_dim_value() && dim.dim_value() != -1;
    auto symbol = symbols.find(dim.dim_param());
    if (isKnown) {
      shape.push_back(dim.dim_value());
    } else if (isSymbol(dim) && symbol != symbols.end()) {
      shape.push_back(symbol->second);
    } else if (i == 0) {
      shape.push_back(1);
      bindsBatch = true;
      if (isSymbol(dim))
        symbols[dim.dim_param()] = 1;
    } else {
      shape.push_back(1);
      unbound.push_back("dimension " + std::to_string(i) +
                        (dim.dim_param().empty()
                             ? std::string()
                             : " (\"" + dim.dim_param() + "\")"));
    }
    printed.push_back(isKnown  ? std::to_string(shape.back())
                      : i == 0 ? std::string("1")
                               : std::string("?"));
  }
  if (!unbound.empty()) {
    importer.error() << "input \"" << name
                     << "\": " << llvm::join(unbound, ", ")
                     << (unbound.size() == 1 ? " is" : " are")
                     << " not fixed in the model; give the whole shape with "
                        "-shape="
                     << name << ":" << llvm::join(printed, "x")
                     << ", numbers for each ?";
    return std::nullopt;
  }
  if (bindsBatch)
    mlir::emitRemark(importer.fileLoc())
        << "input \"" << name << "\": the batch (dimension 0) is not fixed in "
        << "the model and is bound to 1; -shape=" << name
        << ":... binds it to another number";
  if (!countElements(shape)) {
    importer.error() << "input \"" << name << "\" has shape "
                     << shapeToString(shape)
                     << ", which is negative or too large (at most 2^40 "
                        "elements in 32 dimensions)";
    return std::nullopt;
  }
  return shape;
}

FailureOr<Value> MainBuilder::outputValue(StringRef name, const Scope &scope) {
  std::optional<Tensor> tensor = importer.lookup(name, scope);
  if (!tensor)
    return importer.error() << "output \"" << name << "\" has no value";
  if (!tensor->value)
    return failure();
  for (const onnx::ValueInfoProto &output : model.proto().graph().output()) {
    int32_t declared = output.type().tensor_type().elem_type();
    if (output.name() == name && declared != 0 &&
        declared != int32_t(tensor->dtype))
      return importer.error()
             << "output \"" << name << "\" is declared as "
             << codeName(declared) << ", but the nodes compute "
             << codeName(int32_t(tensor->dtype));
  }
  return tensor->value;
}

/// Removes what nothing uses: shapes, folded weights, plain copies of
/// quantized constants.
static void eraseDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult MainBuilder::build(ModuleOp module) {
  const onnx::GraphProto &graph = model.proto().graph();
  if (failed(importer.readModel()) || failed(selectInputs()) ||
      failed(selectOutputs()) || failed(bindShapes()))
    return failure();

  Scope scope;
  scope.opsets = &importer.modelOpsets();
  SmallVector<Type> argTypes;
  SmallVector<DType> argDTypes;
  for (const onnx::ValueInfoProto *input : inputs) {
    int32_t code = input->type().tensor_type().elem_type();
    DType dtype = dtypeOfCode(code);
    if (dtype == DType::Undefined || dtype == DType::I4 || dtype == DType::U4)
      return importer.error()
             << "input \"" << input->name() << "\": element type "
             << codeName(code) << " (" << code << ") is not supported";
    std::optional<SmallVector<int64_t>> shape = shapeOfInput(*input);
    if (!shape)
      return failure();
    argTypes.push_back(RankedTensorType::get(
        *shape, qnn::getElementType(builder.getContext(), dtype)));
    argDTypes.push_back(dtype);
  }
  if (failed(importer.addInitializers(graph, scope)))
    return failure();

  builder.setInsertionPointToEnd(module.getBody());
  auto func = func::FuncOp::create(builder, module.getLoc(), "main",
                                   builder.getFunctionType(argTypes, {}));
  Block *entry = func.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  for (auto [i, input] : llvm::enumerate(inputs)) {
    func.setArgAttr(unsigned(i), kNameAttr,
                    builder.getStringAttr(input->name()));
    scope.values[input->name()] = {entry->getArgument(unsigned(i)),
                                   argDTypes[i]};
    scope.initializers.erase(input->name());
  }

  if (failed(importer.importNodes(graph.node(), outputs, scope)))
    return failure();

  SmallVector<Value> results;
  for (StringRef output : outputs) {
    FailureOr<Value> value = outputValue(output, scope);
    if (failed(value))
      return failure();
    results.push_back(*value);
  }
  func::ReturnOp::create(builder, module.getLoc(), results);
  func.setFunctionType(
      builder.getFunctionType(argTypes, ValueRange(results).getTypes()));
  for (auto [i, output] : llvm::enumerate(outputs))
    func.setResultAttr(unsigned(i), kNameAttr, builder.getStringAttr(output));
  eraseDeadOps(*entry);
  if (!options.outputs.empty()) {
    llvm::BitVector unused(entry->getNumArguments());
    for (BlockArgument argument : entry->getArguments())
      if (argument.use_empty())
        unused.set(argument.getArgNumber());
    if (failed(func.eraseArguments(unused)))
      return failure();
  }
  return verify(module);
}

static OwningOpRef<ModuleOp> importModel(MLIRContext &context, StringRef bytes,
                                         StringRef name,
                                         const ImportOptions &options,
                                         StringRef directory,
                                         StringRef linkedDirectory) {
  DialectRegistry registry;
  registerImportDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();

  OpBuilder builder(&context);
  auto fileName = builder.getStringAttr(name.empty() ? "model" : name);
  Location loc = FileLineColLoc::get(fileName, 0, 0);
  std::shared_ptr<ModelFile> model = ModelFile::parse(
      bytes, directory, linkedDirectory, [&] { return emitError(loc); });
  if (!model)
    return nullptr;
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
  MainBuilder main(*model, builder, fileName, options);
  if (failed(main.build(*module)))
    return nullptr;
  return module;
}

OwningOpRef<ModuleOp> qcc::importONNX(MLIRContext &context, StringRef path,
                                      const ImportOptions &options) {
  Location loc = FileLineColLoc::get(&context, path, 0, 0);
  if (llvm::sys::fs::is_directory(path)) {
    emitError(loc) << "is a folder, expected an ONNX file";
    return nullptr;
  }
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file) {
    emitError(loc) << "cannot read the file: " << file.getError().message();
    return nullptr;
  }
  StringRef directory = llvm::sys::path::parent_path(path);
  SmallString<256> realPath;
  (void)llvm::sys::fs::real_path(path, realPath);
  return importModel(context, (*file)->getBuffer(), path, options,
                     directory.empty() ? "." : directory,
                     llvm::sys::path::parent_path(realPath));
}

OwningOpRef<ModuleOp> qcc::importONNXBuffer(MLIRContext &context,
                                            StringRef bytes, StringRef name,
                                            const ImportOptions &options,
                                            StringRef directory) {
  return importModel(context, bytes, name, options, directory, directory);
}
