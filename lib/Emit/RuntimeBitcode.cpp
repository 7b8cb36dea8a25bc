//===- RuntimeBitcode.cpp - The embedded runtime --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeBitcode.h"

using namespace llvm;

static const unsigned char x86_64[] = {
#include "runtime-x86_64.inc"
};
static const unsigned char aarch64[] = {
#include "runtime-aarch64.inc"
};

StringRef qcc::emit::runtimeBitcode(Triple::ArchType arch) {
  switch (arch) {
  case Triple::x86_64:
    return {reinterpret_cast<const char *>(x86_64), sizeof(x86_64)};
  case Triple::aarch64:
    return {reinterpret_cast<const char *>(aarch64), sizeof(aarch64)};
  default:
    return {};
  }
}
