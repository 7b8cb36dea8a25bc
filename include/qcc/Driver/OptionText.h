//===- OptionText.h - Options as users write them --------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One reading of names and values for the command line and the C interface.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_OPTIONTEXT_H
#define QCC_DRIVER_OPTIONTEXT_H

#include "qcc/Driver/Options.h"

namespace qcc {

/// NAME:1x3x224x224, split at the last colon: names may hold colons.
llvm::Error addShape(CompileOptions &options, llvm::StringRef text);

/// A word of -emit=.
llvm::Expected<EmitKind> parseEmitKind(llvm::StringRef word);

/// What -NAME=VALUE sets on the command line; fails for an unknown name.
llvm::Error setOption(CompileOptions &options, llvm::StringRef name,
                      llvm::StringRef value);

} // namespace qcc

#endif // QCC_DRIVER_OPTIONTEXT_H
