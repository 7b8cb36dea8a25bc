//===- TensorProtoTest.cpp - ONNX tensors in .pb files --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/TensorProto.h"

#include "../UnitTest.h"

using namespace qcc;
using namespace qcc::test;

static Result<HostTensor> parse(const std::string &bytes) {
  return parseTensorProto(bytes.data(), bytes.size());
}

TEST(SupportTensorProto, RoundTrip) {
  HostTensor t = tensor<float>("x", DType::F32, {1, 300}, {});
  t.data.assign(1200, 7);
  Result<HostTensor> back = parse(toString(writeTensorProto(t)));
  ASSERT_TRUE(bool(back)) << back.error();
  EXPECT_EQ(back->name, "x");
  EXPECT_EQ(back->shape, t.shape);
  EXPECT_EQ(back->data, t.data);
}

TEST(SupportTensorProto, TypedData) {
  // dims packed [2]; type FLOAT; float_data packed and then one unpacked.
  auto floats = parse(fromHex("0a0102"
                              "1001"
                              "22040000803f"
                              "2500000040"));
  ASSERT_TRUE(bool(floats)) << floats.error();
  EXPECT_EQ(values<float>(*floats), (std::vector<float>{1, 2}));
  // INT8 in int32_data: -1 is a ten-byte varint.
  auto bytes = parse(fromHex("0802"
                             "1003"
                             "2a0b"
                             "ffffffffffffffffff01"
                             "05"));
  ASSERT_TRUE(bool(bytes)) << bytes.error();
  EXPECT_EQ(values<int8_t>(*bytes), (std::vector<int8_t>{-1, 5}));
  // INT64 scalar, unpacked; FLOAT16 bits in int32_data.
  auto scalar = parse(fromHex("1007"
                              "38ac02"));
  ASSERT_TRUE(bool(scalar)) << scalar.error();
  EXPECT_EQ(values<int64_t>(*scalar), std::vector<int64_t>{300});
  auto half = parse(fromHex("0801"
                            "100a"
                            "2a0380f801"));
  ASSERT_TRUE(bool(half)) << half.error();
  EXPECT_EQ(values<uint16_t>(*half), std::vector<uint16_t>{0x7c00});
}

TEST(SupportTensorProto, EveryTruncationFails) {
  std::string whole = toString(
      writeTensorProto(tensor<float>("name", DType::F32, {2}, {1, 2})));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(bool(parse(whole.substr(0, size)))) << size;
}

TEST(SupportTensorProto, RefusesWhatItCannotRead) {
  EXPECT_FAILURE(parse("\xff\xff"), "not an ONNX tensor");
  EXPECT_FAILURE(parse(fromHex("1008"
                               "3201"
                               "61")),
                 "element type 8");
  EXPECT_FAILURE(parse(fromHex("10ffffffff0f")), "element type 4294967295");
  EXPECT_FAILURE(parse(fromHex("0801"
                               "1003"
                               "2a02"
                               "ac02")),
                 "i8 cannot hold");
  EXPECT_FAILURE(parse(fromHex("0801"
                               "1001"
                               "2a0101")),
                 "another type");
  EXPECT_FAILURE(parse(fromHex("0801"
                               "1001"
                               "7001")),
                 "another file");
  EXPECT_FAILURE(parse(fromHex("08ffffffffffffffffff01"
                               "1001")),
                 "impossible shape");
  EXPECT_FAILURE(parse(fromHex("08ffffffffffffffff7f"
                               "0802"
                               "1001")),
                 "impossible shape");
  EXPECT_FAILURE(parse(fromHex("0802"
                               "1001"
                               "4a0400000000")),
                 "holds 4 bytes");
}
