//===- Samples.h - The samples that options name ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_SAMPLES_H
#define QCC_LIB_DRIVER_SAMPLES_H

#include "Verification.h"

#include "qcc/Driver/Options.h"

namespace qcc {

/// Whether the options name calibration data.
bool hasSamples(const CompileOptions &options);

/// Opens them.
llvm::Expected<std::unique_ptr<Dataset>>
openSamples(const CompileOptions &options, llvm::ArrayRef<InputSpec> inputs);

/// The same without those that -precision=auto holds out.
llvm::Expected<std::unique_ptr<Dataset>>
openSearchSamples(const CompileOptions &options,
                  llvm::ArrayRef<InputSpec> inputs);

/// At most `count` of them.
llvm::Expected<std::vector<std::vector<HostTensor>>>
readSamples(const CompileOptions &options, llvm::ArrayRef<InputSpec> inputs,
            size_t count);

/// Whether the options name samples to verify on.
bool hasVerification(const CompileOptions &options);

/// All of them, with their labels where there are some.
llvm::Expected<HeldOutSamples> readHeldOut(const CompileOptions &options,
                                           llvm::ArrayRef<InputSpec> inputs);

} // namespace qcc

#endif // QCC_LIB_DRIVER_SAMPLES_H
