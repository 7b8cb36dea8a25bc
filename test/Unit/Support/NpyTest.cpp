//===- NpyTest.cpp - .npy files -------------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Npy.h"

#include "../UnitTest.h"

using namespace qcc;
using namespace qcc::test;

static Result<HostTensor> parse(const std::string &bytes) {
  MemoryReader reader(bytes.data(), bytes.size());
  return readNpy(reader);
}

/// A version 1 file with the given dictionary.
static std::string file(const std::string &header, const std::string &data) {
  std::string bytes = "\x93NUMPY";
  bytes += {1, 0, char(header.size() & 255), char(header.size() >> 8)};
  return bytes + header + data;
}

TEST(SupportNpy, RoundTripOfEveryType) {
  for (DType dtype : {DType::F32, DType::U8, DType::I8, DType::U16, DType::I16,
                      DType::I32, DType::I64, DType::Bool, DType::F16,
                      DType::F64, DType::U32, DType::U64}) {
    HostTensor t;
    t.dtype = dtype;
    t.shape = {2, 3};
    for (unsigned i = 0; i < 6 * byteSize(dtype); ++i)
      t.data.push_back(char(i % 2));
    Result<std::vector<char>> bytes = writeNpy(t);
    ASSERT_TRUE(bool(bytes)) << bytes.error();
    Result<HostTensor> back = parse(toString(*bytes));
    ASSERT_TRUE(bool(back)) << back.error();
    EXPECT_EQ(back->dtype, dtype);
    EXPECT_EQ(back->shape, t.shape);
    EXPECT_EQ(back->data, t.data);
  }
}

TEST(SupportNpy, ScalarVectorAndEmpty) {
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{}, std::vector<int64_t>{1},
        std::vector<int64_t>{3, 0}}) {
    HostTensor t = tensor<int16_t>("", DType::I16, shape, {});
    t.data.resize(size_t(*byteCount(shape, DType::I16)));
    Result<HostTensor> back = parse(toString(*writeNpy(t)));
    ASSERT_TRUE(bool(back)) << back.error();
    EXPECT_EQ(back->shape, shape);
  }
}

TEST(SupportNpy, FortranOrderAndBigEndian) {
  std::string data;
  for (char value : {0, 3, 1, 4, 2, 5})
    data += {0, value};
  Result<HostTensor> t = parse(
      file("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }", data));
  ASSERT_TRUE(bool(t)) << t.error();
  EXPECT_EQ(values<int16_t>(*t), (std::vector<int16_t>{0, 1, 2, 3, 4, 5}));
}

TEST(SupportNpy, EveryTruncationFails) {
  std::string whole =
      toString(*writeNpy(tensor<float>("", DType::F32, {2, 2}, {1, 2, 3, 4})));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(bool(parse(whole.substr(0, size)))) << size;
}

TEST(SupportNpy, RefusesWhatItCannotRead) {
  EXPECT_FAILURE(parse("not an array"), "not an .npy file");
  EXPECT_FAILURE(parse(file("{'descr': '<c8', 'fortran_order': False, "
                            "'shape': (), }",
                            "12345678")),
                 "'<c8'");
  EXPECT_FAILURE(parse(file("{'descr': [('a', '<i4')], 'fortran_order': "
                            "False, 'shape': (), }",
                            "")),
                 "records");
  EXPECT_FAILURE(parse(file("{'descr': '|O', 'fortran_order': False, "
                            "'shape': (1,), }",
                            "")),
                 "'|O'");
  EXPECT_FAILURE(parse(file("{'descr': '<f4', 'fortran_order': False, 'shape': "
                            "(4294967296, 4294967296, 4294967296), }",
                            "")),
                 "impossible shape");
  EXPECT_FAILURE(parse(file("{'descr': '<f4', 'fortran_order': False, "
                            "'shape': (1000000000,), }",
                            "abcd")),
                 "holds 4 bytes");
  EXPECT_FAILURE(parse(file("{'descr': '<f4', 'shape': (1,), }", "abcd")),
                 "malformed");
  EXPECT_FAILURE(parse(file("{'descr': '<f4', 'fortran_order': False, "
                            "'shape': (-1,), }",
                            "abcd")),
                 "malformed");
  EXPECT_FAILURE(writeNpy(tensor<int16_t>("t", DType::BF16, {1}, {0})), "bf16");
}
