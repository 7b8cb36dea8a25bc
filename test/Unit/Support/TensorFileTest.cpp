//===- TensorFileTest.cpp - Files of tensors ------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/TensorFile.h"
#include "qcc/Support/OutputFile.h"

#include "../UnitTest.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace qcc;
using namespace qcc::test;

static std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SupportTensorFile, ByExtension) {
  TempFolder folder;
  HostTensor t = tensor<uint8_t>("t", DType::U8, {3}, {1, 2, 3});
  std::string spec;
  for (const char *name : {"a.npz", "b.npy", "c.PB"}) {
    Status status = saveTensors(folder.path(name), {t});
    ASSERT_TRUE(bool(status)) << status.error();
    spec += (spec.empty() ? "" : ",") + folder.path(name);
  }
  auto tensors = loadTensors(spec);
  ASSERT_TRUE(bool(tensors)) << tensors.error();
  ASSERT_EQ(tensors->size(), 3u);
  for (const HostTensor &back : *tensors)
    EXPECT_EQ(back.data, t.data);
  EXPECT_EQ((*tensors)[1].name, "");
  EXPECT_FAILURE(loadTensors(folder.path("x.txt")), "no .npz, .npy or .pb");
  EXPECT_FAILURE(loadTensors(spec + ","), "no .npz, .npy or .pb");
  EXPECT_FAILURE(saveTensors(folder.path("x.npy"), {t, t}), "one tensor");
}

TEST(SupportOutputFile, ReplacesWholeFiles) {
  TempFolder folder;
  std::string path = folder.write("f", "old");
  ASSERT_TRUE(bool(writeFile(path, "new", 3, /*executable=*/true)));
  EXPECT_EQ(contents(path), "new");
  ASSERT_EQ(::symlink(path.c_str(), folder.path("link").c_str()), 0);
  ASSERT_TRUE(bool(writeFile(folder.path("link"), "two", 3)));
  EXPECT_EQ(contents(path), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link")));
  EXPECT_EQ(folder.count(), 2u);
}

TEST(SupportOutputFile, FailuresLeaveNothing) {
  TempFolder folder;
  EXPECT_FAILURE(writeFile(folder.path("absent/f"), "x", 1), "No such file");
  EXPECT_FAILURE(writeFile(folder.path(""), "x", 1), "Is a directory");
  EXPECT_FAILURE(writeFile("/dev/full", "x", 1), "No space left");
  EXPECT_TRUE(bool(writeFile("/dev/null", "x", 1)));
  EXPECT_EQ(folder.count(), 0u);
}

TEST(SupportHostTensor, Counts) {
  EXPECT_EQ(elementCount({2, 0, 5}), 0);
  EXPECT_EQ(elementCount({}), 1);
  EXPECT_FALSE(elementCount({-1}));
  EXPECT_FALSE(elementCount({int64_t(1) << 40, int64_t(1) << 40}));
  EXPECT_FALSE(elementCount({0, int64_t(1) << 40, int64_t(1) << 40}));
  EXPECT_EQ(byteCount({3}, DType::I4), 2);
  EXPECT_FALSE(byteCount({3}, DType::String));
  EXPECT_EQ(shapeString({1, 3}), "1x3");
}
