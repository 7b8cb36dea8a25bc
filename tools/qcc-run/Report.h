//===- Report.h - What qcc-run prints ------------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TOOLS_QCC_RUN_REPORT_H
#define QCC_TOOLS_QCC_RUN_REPORT_H

#include "Artefact.h"

namespace qcc {

void printDescription(const Artefact &artefact, bool json);
/// Times of single runs, in nanoseconds.
void printTimes(const Artefact &artefact, std::vector<uint64_t> times,
                bool json);
/// Of the least time of each step, in nanoseconds; with the share of the peak
/// of this machine, which is measured.
void printProfile(const Artefact &artefact, const std::vector<uint64_t> &steps,
                  bool json);

} // namespace qcc

#endif // QCC_TOOLS_QCC_RUN_REPORT_H
