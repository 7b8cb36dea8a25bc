//===- NpzTest.cpp - .npz files -------------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Npz.h"
#include "qcc/Support/Zip.h"

#include "../UnitTest.h"

using namespace qcc;
using namespace qcc::test;

// numpy.savez_compressed(x=arange(6, dtype=float32).reshape(2, 3),
//                        y=zeros(1000, uint8)): deflated, zip64 local headers.
static const char compressed[] =
    "504b0304140000000800000021004fe9002a550000009800000005001400782e6e707901"
    "001000980000000000000055000000000000009bec17ea1b10c9c850c650ad9e925a9c5c"
    "a46ea5a06e9366a2aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416"
    "a402f91a463a0ac69a3a0ab50a64032e063068b007120e4004c40d40bcc00100504b0304"
    "14000000080000002100757cfb454f0000006804000005001400792e6e70790100100068"
    "040000000000004f000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a0"
    "5e536aa8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a"
    "860606063a9a3a0ab50ae4022e8651300a46c1b00700504b010214031400000008000000"
    "21004fe9002a5500000098000000050000000000000000000000800100000000782e6e70"
    "79504b0102140314000000080000002100757cfb454f0000006804000005000000000000"
    "000000000080018c000000792e6e7079504b050600000000020002006600000012010000"
    "0000";

TEST(SupportNpz, ReadsDeflatedArchives) {
  TempFolder folder;
  auto tensors = readNpz(folder.write("c.npz", fromHex(compressed)));
  ASSERT_TRUE(bool(tensors)) << tensors.error();
  ASSERT_EQ(tensors->size(), 2u);
  EXPECT_EQ((*tensors)[0].name, "x");
  EXPECT_EQ((*tensors)[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(values<float>((*tensors)[0]),
            (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ((*tensors)[1].name, "y");
  EXPECT_EQ((*tensors)[1].data, std::vector<char>(1000, 0));
}

TEST(SupportNpz, RoundTripIsDeterministic) {
  TempFolder folder;
  std::vector<HostTensor> tensors = {
      tensor<float>("a/b:0", DType::F32, {2}, {1.5f, -2.f}),
      tensor<int64_t>("ids", DType::I64, {}, {7})};
  auto bytes = writeNpz(tensors);
  ASSERT_TRUE(bool(bytes)) << bytes.error();
  EXPECT_EQ(*bytes, *writeNpz(tensors));
  auto back = readNpz(folder.write("t.npz", toString(*bytes)));
  ASSERT_TRUE(bool(back)) << back.error();
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].name, "a/b:0");
  EXPECT_EQ((*back)[0].data, tensors[0].data);
  EXPECT_EQ((*back)[1].shape, tensors[1].shape);
  tensors[1].name = "a/b:0";
  EXPECT_FAILURE(writeNpz(tensors), "two tensors");
}

TEST(SupportNpz, EveryTruncationFails) {
  TempFolder folder;
  std::string whole = fromHex(compressed);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(bool(readNpz(folder.write("t.npz", whole.substr(0, size)))))
        << size;
}

TEST(SupportNpz, CorruptionIsNeverACrashAndNeverWrongData) {
  TempFolder folder;
  std::string whole = fromHex(compressed);
  auto reference = readNpz(folder.write("t.npz", whole));
  ASSERT_TRUE(bool(reference));
  for (size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[at] = char(bytes[at] ^ (1 << bit));
      auto tensors = readNpz(folder.write("t.npz", bytes));
      if (!tensors)
        continue; // fields that nobody reads (dates, versions) may change
      for (const HostTensor &t : *tensors)
        for (const HostTensor &r : *reference)
          if (t.name == r.name)
            EXPECT_EQ(t.data, r.data) << at;
    }
}

TEST(SupportNpz, DamagedStoredEntry) {
  TempFolder folder;
  std::string bytes =
      toString(*writeNpz({tensor<float>("x", DType::F32, {2}, {1.f, 2.f})}));
  bytes[bytes.find("PK\x01\x02") - 1] ^= 1;
  EXPECT_FAILURE(readNpz(folder.write("t.npz", bytes)), "checksum");
}

TEST(SupportNpz, ArchiveWithoutArrays) {
  TempFolder folder;
  ZipWriter writer;
  ASSERT_TRUE(bool(writer.add("note.txt", {'h', 'i'})));
  EXPECT_FAILURE(readNpz(folder.write("t.npz", toString(writer.finish()))),
                 "no arrays");
  EXPECT_FAILURE(readNpz(folder.path("absent.npz")), "No such file");
  EXPECT_FAILURE(readNpz(folder.path("")), "not a regular file");
}
