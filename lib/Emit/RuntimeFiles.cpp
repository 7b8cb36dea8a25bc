//===- RuntimeFiles.cpp - The embedded runtime ----------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeFiles.h"

using namespace llvm;
using namespace qcc::emit;

static const unsigned char x86_64Bitcode[] = {
#include "runtime-x86_64.bc.inc"
};
static const unsigned char aarch64Bitcode[] = {
#include "runtime-aarch64.bc.inc"
};
alignas(8) static const unsigned char x86_64Object[] = {
#include "runtime-x86_64.o.inc"
};
alignas(8) static const unsigned char aarch64Object[] = {
#include "runtime-aarch64.o.inc"
};

template <size_t N> static StringRef text(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char *>(bytes), N};
}

RuntimeFiles qcc::emit::runtimeFiles(Triple::ArchType arch) {
  switch (arch) {
  case Triple::x86_64:
    return {text(x86_64Bitcode), text(x86_64Object)};
  case Triple::aarch64:
    return {text(aarch64Bitcode), text(aarch64Object)};
  default:
    return {};
  }
}
