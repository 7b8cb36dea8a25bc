//===- DatasetTest.cpp - Calibration samples ------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Dataset.h"
#include "qcc/Support/Npz.h"
#include "qcc/Support/TensorFile.h"
#include "qcc/Support/TensorProto.h"

#include "../UnitTest.h"

#include <numeric>

using namespace qcc;
using namespace qcc::test;

static const std::vector<InputSpec> inputs = {
    {"x", DType::F32, {1, 2, 2}},
    {"ids", DType::I64, {3}},
};

static HostTensor floats(const std::string &name, std::vector<int64_t> shape) {
  std::vector<float> values(size_t(*elementCount(shape)));
  std::iota(values.begin(), values.end(), 0.f);
  return tensor(name, DType::F32, std::move(shape), values);
}

static HostTensor ids(std::vector<int64_t> shape) {
  std::vector<int64_t> values(size_t(*elementCount(shape)), 5);
  return tensor("ids", DType::I64, std::move(shape), values);
}

static std::string archive(const TempFolder &folder,
                           const std::vector<HostTensor> &tensors,
                           const std::string &name = "d.npz") {
  return folder.write(name, toString(*writeNpz(tensors)));
}

/// Opens and reads all samples; the message of the first failure.
static std::string errorOf(const std::string &path) {
  auto dataset = openDataset(path, inputs);
  if (!dataset)
    return llvm::toString(dataset.takeError());
  for (size_t i = 0; i < (*dataset)->size(); ++i) {
    auto sample = (*dataset)->next();
    if (!sample)
      return llvm::toString(sample.takeError());
  }
  return "";
}

TEST(CalibrationDataset, ArchiveOfSamples) {
  TempFolder folder;
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{5, 1, 2, 2}, std::vector<int64_t>{5, 2, 2}}) {
    auto dataset =
        openDataset(archive(folder, {ids({5, 3}), floats("x", shape)}), inputs);
    ASSERT_TRUE(bool(dataset)) << llvm::toString(dataset.takeError());
    EXPECT_EQ((*dataset)->size(), 5u);
    for (float first = 0; first < 20; first += 4) {
      auto sample = (*dataset)->next();
      ASSERT_TRUE(bool(sample)) << llvm::toString(sample.takeError());
      ASSERT_EQ(sample->size(), 2u);
      EXPECT_EQ((*sample)[0].shape, inputs[0].shape);
      EXPECT_EQ(values<float>((*sample)[0]),
                (std::vector<float>{first, first + 1, first + 2, first + 3}));
      EXPECT_EQ((*sample)[1].name, "ids");
    }
  }
}

TEST(CalibrationDataset, FolderOfArchivesInNaturalOrder) {
  TempFolder folder;
  for (int i : {10, 2, 1})
    archive(folder,
            {tensor("x", DType::F32, {2, 2}, std::vector<float>(4, float(i))),
             ids({3})},
            "s" + std::to_string(i) + ".npz");
  auto dataset = openDataset(folder.path(""), inputs);
  ASSERT_TRUE(bool(dataset)) << llvm::toString(dataset.takeError());
  ASSERT_EQ((*dataset)->size(), 3u);
  for (float expected : {1.f, 2.f, 10.f})
    EXPECT_EQ(values<float>((*(*dataset)->next())[0])[0], expected);
}

TEST(CalibrationDataset, FoldersOfTensorProtos) {
  TempFolder folder;
  for (const char *name : {"set_0", "set_1"}) {
    folder.write(std::string(name) + "/input_0.pb",
                 toString(writeTensorProto(floats("", {1, 2, 2}))));
    folder.write(std::string(name) + "/input_1.pb",
                 toString(writeTensorProto(ids({3}))));
  }
  for (const char *path : {"", "set_1"}) {
    auto dataset = openDataset(folder.path(path), inputs);
    ASSERT_TRUE(bool(dataset)) << llvm::toString(dataset.takeError());
    EXPECT_EQ((*dataset)->size(), *path ? 1u : 2u);
    EXPECT_EQ(errorOf(folder.path(path)), "");
  }
}

TEST(CalibrationDataset, ErrorsSayWhatIsExpected) {
  TempFolder folder;
  auto expect = [&](const std::vector<HostTensor> &tensors,
                    const std::string &part) {
    std::string error = errorOf(archive(folder, tensors));
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  HostTensor x = floats("x", {5, 2, 2});
  expect({floats("y", {5, 2, 2}), ids({5, 3})},
         "its keys are 'y', 'ids', but the model's inputs are 'x' (f32 of "
         "shape 1x2x2), 'ids' (i64 of shape 3)");
  expect({floats("x", {5, 2, 3}), ids({5, 3})},
         "f32 of shape samples x 1x2x2 or samples x 2x2");
  expect({floats("x", {0, 2, 2}), ids({0, 3})}, "holds no samples");
  expect({floats("x", {}), ids({5, 3})}, "is f32 of shape scalar");
  expect({x, ids({4, 3})}, "has 4 samples");
  HostTensor wide = x;
  wide.dtype = DType::F64;
  wide.data.resize(wide.data.size() * 2);
  expect({wide, ids({5, 3})}, ".astype(numpy.float32)");

  EXPECT_NE(errorOf(folder.path("absent")).find("does not exist"),
            std::string::npos);
  std::filesystem::create_directory(folder.path("empty"));
  EXPECT_NE(errorOf(folder.path("empty")).find("no .npz files"),
            std::string::npos);
  folder.write("images/a.JPG", "x");
  EXPECT_NE(errorOf(folder.path("images")).find("images"), std::string::npos);
  EXPECT_NE(errorOf(folder.write("d.csv", "1,2")).find("neither an .npz"),
            std::string::npos);
  folder.write("one/input_0.pb",
               toString(writeTensorProto(floats("", {1, 2, 2}))));
  EXPECT_NE(errorOf(folder.path("one")).find("input_1.pb"), std::string::npos);
  archive(folder, {floats("x", {3, 2, 2}), ids({3})}, "many/a.npz");
  EXPECT_NE(errorOf(folder.path("many")).find("'x' in"), std::string::npos);
}

TEST(CalibrationDataset, CutShort) {
  TempFolder folder;
  std::string bytes =
      toString(*writeNpz({floats("x", {5, 2, 2}), ids({5, 3})}));
  for (size_t size = 0; size < bytes.size(); size += 7)
    EXPECT_NE(errorOf(folder.write("d.npz", bytes.substr(0, size))), "");
}
