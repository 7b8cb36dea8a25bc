//===- Version.cpp - Version and locations as users see them --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Version.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;

std::string qcc::versionString() {
  return "qcc " QCC_VERSION " (LLVM " LLVM_VERSION_STRING ")";
}

/// Collects the names of a location from the outside in, each once.
static void collectNames(Location location,
                         SmallVectorImpl<std::string> &names) {
  auto add = [&](std::string name) {
    if (!name.empty() && !llvm::is_contained(names, name))
      names.push_back(std::move(name));
  };
  if (auto named = dyn_cast<NameLoc>(location)) {
    collectNames(named.getChildLoc(), names);
    add("node '" + named.getName().str() + "'");
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  } else if (auto file = dyn_cast<FileLineColLoc>(location)) {
    std::string text = file.getFilename().str();
    if (file.getLine() != 0)
      text += ":" + std::to_string(file.getLine());
    add(text);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    collectNames(call.getCaller(), names);
    collectNames(call.getCallee(), names);
  }
}

std::string qcc::describeLocation(Location location) {
  SmallVector<std::string> names;
  collectNames(location, names);
  return llvm::join(names, ": ");
}

std::string qcc::describeDiagnostic(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  SmallVector<std::string> names;
  collectNames(diagnostic.getLocation(), names);
  llvm::erase_if(names, [&](StringRef name) {
    return name.consume_front("node '") && name.consume_back("'") &&
           StringRef(text).starts_with("node \"" + name.str() + "\"");
  });
  names.push_back(text);
  return llvm::join(names, ": ");
}
