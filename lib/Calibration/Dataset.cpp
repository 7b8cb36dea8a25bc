//===- Dataset.cpp - Calibration samples from disk ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Dataset.h"
#include "qcc/Support/Image.h"
#include "qcc/Support/Npy.h"
#include "qcc/Support/Npz.h"
#include "qcc/Support/ResultToExpected.h"
#include "qcc/Support/TensorFile.h"
#include "qcc/Support/TensorProto.h"
#include "qcc/Support/Zip.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qcc;
namespace fs = llvm::sys::fs;
using Sample = std::vector<HostTensor>;
using Shape = std::vector<int64_t>;

static std::string describe(DType dtype, const Shape &shape) {
  return std::string(name(dtype)) + " of shape " + shapeString(shape);
}

static std::string describeInputs(llvm::ArrayRef<InputSpec> inputs) {
  std::string text;
  for (const InputSpec &input : inputs) {
    if (!text.empty())
      text += ", ";
    text += "'" + input.name + "' (" + describe(input.dtype, input.shape) + ")";
  }
  return text;
}

/// The shape without a leading 1, if it has one.
static std::optional<Shape> withoutBatch(const Shape &shape) {
  if (shape.empty() || shape[0] != 1)
    return std::nullopt;
  return Shape(shape.begin() + 1, shape.end());
}

/// The remedy where only the element type is wrong.
static std::string typeRemedy(DType have, DType want) {
  auto isFloat = [](DType dtype) {
    return dtype == DType::F32 || dtype == DType::F64 || dtype == DType::F16;
  };
  if (want == DType::F32 && isFloat(have))
    return "; save it with .astype(numpy.float32)";
  return "";
}

/// One sample's tensor for `input`, found in `where`.
static llvm::Error checkTensor(HostTensor &tensor, const InputSpec &input,
                               const std::string &where) {
  std::optional<Shape> inner = withoutBatch(input.shape);
  bool otherExtents =
      input.anyExtents && tensor.shape.size() == input.shape.size();
  if (tensor.dtype != input.dtype ||
      (tensor.shape != input.shape && (!inner || tensor.shape != *inner) &&
       !otherExtents))
    return makeError("calibration data: " + where + " is " +
                     describe(tensor.dtype, tensor.shape) + ", but input '" +
                     input.name + "' takes " +
                     describe(input.dtype, input.shape) +
                     typeRemedy(tensor.dtype, input.dtype));
  tensor.name = input.name;
  if (!otherExtents)
    tensor.shape = input.shape;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// One archive with all samples
//===----------------------------------------------------------------------===//

namespace {
class ArchiveDataset : public Dataset {
public:
  static llvm::Expected<std::unique_ptr<Dataset>>
  open(const std::string &path, llvm::ArrayRef<InputSpec> inputs);

  size_t size() const override { return samples; }
  llvm::Expected<Sample> next() override;

private:
  /// An input's array, of which the first samples have been read.
  struct Column {
    InputSpec input;
    std::string where;
    std::unique_ptr<ByteReader> reader;
    std::vector<char> whole; ///< in place of a stream, where column-major
    bool bigEndian = false;
  };
  llvm::Error addColumn(const ZipArchive &archive,
                        const ZipArchive::Entry &entry, const InputSpec &input,
                        const std::string &path);

  std::vector<Column> columns;
  size_t samples = 0;
};
} // namespace

llvm::Error ArchiveDataset::addColumn(const ZipArchive &archive,
                                      const ZipArchive::Entry &entry,
                                      const InputSpec &input,
                                      const std::string &path) {
  Column column;
  column.input = input;
  column.where = "'" + input.name + "' in '" + path + "'";
  auto fail = [&](const llvm::Twine &what) {
    return makeError("calibration data: " + column.where + " " + what);
  };
  auto reader = archive.read(entry);
  if (!reader)
    return fail(reader.error());
  Result<NpyHeader> header = readNpyHeader(**reader);
  if (!header)
    return fail(header.error());

  const Shape &shape = header->shape;
  std::optional<Shape> inner = withoutBatch(input.shape);
  Shape rest(shape.empty() ? shape.end() : shape.begin() + 1, shape.end());
  if (header->dtype != input.dtype || shape.empty() ||
      (rest != input.shape && (!inner || rest != *inner))) {
    std::string other = inner ? " or samples x " + shapeString(*inner) : "";
    return fail("is " + describe(header->dtype, shape) + ", but input '" +
                input.name + "' takes " + name(input.dtype) +
                " of shape samples x " + shapeString(input.shape) + other +
                typeRemedy(header->dtype, input.dtype));
  }
  auto count = size_t(shape[0]);
  if (count == 0)
    return fail("holds no samples");
  if (!columns.empty() && count != samples)
    return fail("has " + llvm::Twine(count) + " samples, but " +
                columns.front().where + " has " + llvm::Twine(samples));
  samples = count;
  auto size = uint64_t(*byteCount(shape, header->dtype));
  if ((*reader)->remaining() != size)
    return fail("is cut short, or longer than its header says");
  if (header->fortranOrder && shape.size() > 1) {
    // Its samples are interleaved, so the whole is read at once.
    auto again = archive.read(entry);
    if (!again)
      return fail(again.error());
    Result<HostTensor> tensor = readNpy(**again);
    if (!tensor)
      return fail(tensor.error());
    column.whole = std::move(tensor->data);
    column.reader = std::make_unique<MemoryReader>(column.whole.data(),
                                                   column.whole.size());
  } else {
    column.reader = std::move(*reader);
    column.bigEndian = header->bigEndian;
  }
  columns.push_back(std::move(column));
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Dataset>>
ArchiveDataset::open(const std::string &path,
                     llvm::ArrayRef<InputSpec> inputs) {
  Result<ZipArchive> archive = ZipArchive::open(path);
  if (!archive)
    return makeError("calibration data: " + archive.error());
  auto dataset = std::make_unique<ArchiveDataset>();
  for (const InputSpec &input : inputs) {
    auto entry = llvm::find_if(archive->entries(), [&](const auto &e) {
      return npzTensorName(e.name) == input.name;
    });
    if (entry == archive->entries().end()) {
      std::vector<std::string> keys;
      for (const ZipArchive::Entry &e : archive->entries())
        if (auto key = npzTensorName(e.name))
          keys.push_back("'" + *key + "'");
      return makeError("calibration data: '" + path + "' has no array '" +
                       input.name + "'; its keys are " +
                       (keys.empty() ? "none" : llvm::join(keys, ", ")) +
                       ", but the model's inputs are " +
                       describeInputs(inputs));
    }
    if (llvm::Error error = dataset->addColumn(*archive, *entry, input, path))
      return error;
  }
  return dataset;
}

llvm::Expected<Sample> ArchiveDataset::next() {
  Sample sample;
  for (Column &column : columns) {
    HostTensor tensor;
    tensor.name = column.input.name;
    tensor.dtype = column.input.dtype;
    tensor.shape = column.input.shape;
    tensor.data.resize(size_t(*byteCount(tensor.shape, tensor.dtype)));
    if (Status status =
            column.reader->read(tensor.data.data(), tensor.data.size());
        !status)
      return makeError("calibration data: " + column.where + " " +
                       status.error());
    if (column.bigEndian)
      swapBytes(tensor.data.data(), tensor.data.size(), byteSize(tensor.dtype));
    sample.push_back(std::move(tensor));
  }
  return sample;
}

//===----------------------------------------------------------------------===//
// One file or folder per sample
//===----------------------------------------------------------------------===//

namespace {
class FolderDataset : public Dataset {
public:
  FolderDataset(std::vector<std::string> paths,
                llvm::ArrayRef<InputSpec> inputs)
      : paths(std::move(paths)), inputs(inputs) {}
  size_t size() const override { return paths.size(); }
  llvm::Expected<Sample> next() override {
    const std::string &path = paths[position++];
    return hasExtension(path, ".npz") ? readArchive(path) : readFolder(path);
  }

private:
  llvm::Expected<Sample> readArchive(const std::string &path);
  llvm::Expected<Sample> readFolder(const std::string &path);

  std::vector<std::string> paths;
  std::vector<InputSpec> inputs;
  size_t position = 0;
};
} // namespace

llvm::Expected<Sample> FolderDataset::readArchive(const std::string &path) {
  Result<std::vector<HostTensor>> tensors = readNpz(path);
  if (!tensors)
    return makeError("calibration data: " + tensors.error());
  Sample sample;
  for (const InputSpec &input : inputs) {
    auto tensor = llvm::find_if(
        *tensors, [&](const HostTensor &t) { return t.name == input.name; });
    if (tensor == tensors->end())
      return makeError("calibration data: '" + path + "' has no array '" +
                       input.name + "'; the model's inputs are " +
                       describeInputs(inputs));
    if (llvm::Error error = checkTensor(
            *tensor, input, "'" + input.name + "' in '" + path + "'"))
      return error;
    sample.push_back(std::move(*tensor));
  }
  return sample;
}

static std::string inputFile(const std::string &folder, size_t index) {
  return folder + "/input_" + std::to_string(index) + ".pb";
}

llvm::Expected<Sample> FolderDataset::readFolder(const std::string &path) {
  Sample sample;
  for (auto [index, input] : llvm::enumerate(inputs)) {
    std::string file = inputFile(path, index);
    Result<HostTensor> tensor = readTensorProtoFile(file);
    if (!tensor)
      return makeError("calibration data: " + tensor.error());
    if (llvm::Error error = checkTensor(*tensor, input, "'" + file + "'"))
      return error;
    sample.push_back(std::move(*tensor));
  }
  return sample;
}

/// Takes 2 before 10.
static void sortNaturally(std::vector<std::string> &paths) {
  llvm::sort(paths, [](llvm::StringRef a, llvm::StringRef b) {
    int order = a.compare_numeric(b);
    return order ? order < 0 : a < b;
  });
}

static llvm::Expected<std::unique_ptr<Dataset>>
openFolder(const std::string &path, llvm::ArrayRef<InputSpec> inputs) {
  if (fs::exists(inputFile(path, 0)))
    return std::make_unique<FolderDataset>(std::vector<std::string>{path},
                                           inputs);
  std::vector<std::string> archives, folders;
  bool images = false;
  std::error_code code;
  for (fs::directory_iterator it(path, code), end; it != end && !code;
       it.increment(code)) {
    const std::string &entry = it->path();
    if (hasExtension(entry, ".npz"))
      archives.push_back(entry);
    else if (fs::exists(inputFile(entry, 0)))
      folders.push_back(entry);
    images |= isImagePath(entry);
  }
  if (code)
    return makeError("calibration data: cannot read '" + path +
                     "': " + code.message());
  if (!archives.empty() && !folders.empty())
    return makeError("calibration data: '" + path +
                     "' has both .npz files and folders of .pb files; one kind "
                     "is needed");
  std::vector<std::string> &samples = archives.empty() ? folders : archives;
  if (samples.empty())
    return makeError(
        "calibration data: '" + path +
        (images ? "' holds images; say how they become the model's input "
                  "with -preprocess= (docs/calibration.md)"
                : "' holds no .npz files and no folders with input_0.pb"));
  sortNaturally(samples);
  return std::make_unique<FolderDataset>(std::move(samples), inputs);
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

namespace {
/// One image per file, or all of them in one array.
class ImageDataset : public Dataset {
public:
  ImageDataset(InputSpec input, Preprocess preprocess)
      : input(std::move(input)), preprocess(std::move(preprocess)) {}
  llvm::Error openFolder(const std::string &path);
  llvm::Error openArray(const std::string &path);
  size_t size() const override { return stack ? count : paths.size(); }
  llvm::Expected<Sample> next() override;

private:
  llvm::Expected<Image> nextImage();

  InputSpec input;
  Preprocess preprocess;
  std::vector<std::string> paths;
  std::optional<HostTensor> stack; ///< of an .npy file, samples outermost
  size_t count = 0, position = 0;
};
} // namespace

llvm::Error ImageDataset::openFolder(const std::string &path) {
  std::error_code code;
  for (fs::directory_iterator it(path, code), end; it != end && !code;
       it.increment(code))
    if (isImagePath(it->path()))
      paths.push_back(it->path());
  if (code)
    return makeError("calibration data: cannot read '" + path +
                     "': " + code.message());
  if (paths.empty())
    return makeError("calibration data: '" + path +
                     "' holds no .png, .jpg or .npy images");
  sortNaturally(paths);
  return llvm::Error::success();
}

llvm::Error ImageDataset::openArray(const std::string &path) {
  Result<HostTensor> tensor = readNpyFile(path);
  if (!tensor)
    return makeError("calibration data: " + tensor.error());
  if (tensor->shape.size() < 3 || tensor->shape[0] == 0)
    return makeError("calibration data: '" + path + "' is " +
                     describe(tensor->dtype, tensor->shape) +
                     ", expected u8 of samples x height x width x channels");
  paths = {path};
  count = size_t(tensor->shape[0]);
  stack = std::move(*tensor);
  return llvm::Error::success();
}

llvm::Expected<Image> ImageDataset::nextImage() {
  if (!stack)
    return toExpected(readImage(paths[position++]));
  HostTensor one{"", stack->dtype, {}, {}};
  one.shape.assign(stack->shape.begin() + 1, stack->shape.end());
  size_t bytes = stack->data.size() / count;
  auto begin = stack->data.begin() + ptrdiff_t(position++ * bytes);
  one.data.assign(begin, begin + ptrdiff_t(bytes));
  return toExpected(toImage(one));
}

llvm::Expected<Sample> ImageDataset::next() {
  std::string where =
      stack ? "sample " + std::to_string(position) + " of '" + paths[0] + "'"
            : "'" + paths[position] + "'";
  auto fail = [&](const std::string &what) {
    return makeError("calibration data: " + where + ": " + what);
  };
  llvm::Expected<Image> image = nextImage();
  if (!image)
    return fail(llvm::toString(image.takeError()));
  Result<HostTensor> tensor =
      preprocess.apply(*image, input.dtype, input.shape);
  if (!tensor)
    return fail(tensor.error());
  tensor->name = input.name;
  Sample sample;
  sample.push_back(std::move(*tensor));
  return sample;
}

static llvm::Expected<std::unique_ptr<Dataset>>
openImages(const std::string &path, llvm::ArrayRef<InputSpec> inputs,
           const std::string &text) {
  Result<Preprocess> preprocess = Preprocess::parse(text);
  if (!preprocess)
    return makeError(preprocess.error());
  if (inputs.size() != 1)
    return makeError("calibration data: -preprocess needs a model with one "
                     "input; its inputs are " +
                     describeInputs(inputs));
  auto dataset = std::make_unique<ImageDataset>(inputs[0], *preprocess);
  if (llvm::Error error = fs::is_directory(path) ? dataset->openFolder(path)
                                                 : dataset->openArray(path))
    return error;
  return dataset;
}

llvm::Expected<Sample> HalfDataset::next() {
  auto sample = source.next();
  if (!sample || ++position == source.size())
    return sample;
  auto other = source.next();
  if (!other)
    return other;
  ++position;
  heldOut.push_back(std::move(*other));
  return sample;
}

llvm::Expected<Sample> RecordedDataset::next() {
  auto sample = source.next();
  if (!sample)
    return sample;
  for (const HostTensor &tensor : *sample)
    bytes += tensor.data.size();
  if (kept.size() < mostSamples && (kept.empty() || bytes <= mostBytes))
    kept.push_back(*sample);
  return sample;
}

llvm::Expected<std::unique_ptr<Dataset>>
qcc::openDataset(const std::string &path, llvm::ArrayRef<InputSpec> inputs,
                 const std::optional<std::string> &preprocess) {
  if (inputs.empty())
    return makeError("calibration data: the model has no inputs");
  if (!fs::exists(path))
    return makeError("calibration data: '" + path + "' does not exist");
  if (preprocess)
    return openImages(path, inputs, *preprocess);
  if (fs::is_directory(path))
    return openFolder(path, inputs);
  if (hasExtension(path, ".npz"))
    return ArchiveDataset::open(path, inputs);
  return makeError("calibration data: '" + path +
                   "' is neither an .npz file nor a folder");
}
