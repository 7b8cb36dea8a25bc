//===- YamlDocument.h - Files of one YAML document ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_YAMLDOCUMENT_H
#define QCC_SUPPORT_YAMLDOCUMENT_H

#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLTraits.h"

#include <string>

namespace qcc {

/// The text of a document, whose type has llvm::yaml::MappingTraits.
template <typename Document> std::string printYaml(Document document) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::yaml::Output output(os);
  output << document;
  return text;
}

/// Reads the only document of `text`. Errors begin with `path` and the place of
/// the first mistake; `kind` names what was expected, as in "no precision
/// plan".
template <typename Document>
llvm::Expected<Document> parseYaml(llvm::StringRef text, llvm::StringRef path,
                                   llvm::StringRef kind) {
  std::string message;
  auto handler = [](const llvm::SMDiagnostic &diagnostic, void *context) {
    auto &message = *static_cast<std::string *>(context);
    if (message.empty())
      message = (llvm::Twine(diagnostic.getLineNo()) + ":" +
                 llvm::Twine(diagnostic.getColumnNo() + 1) + ": " +
                 diagnostic.getMessage())
                    .str();
  };
  llvm::yaml::Input input(text, nullptr, handler, &message);
  Document document;
  input >> document;
  if (input.error() || !message.empty())
    return makeError(path + ":" +
                     (message.empty() ? " no " + kind.str() : message));
  if (input.nextDocument())
    return makeError(path + ": a " + kind +
                     " is one document; remove what stands behind its '---'");
  return document;
}

} // namespace qcc

#endif // QCC_SUPPORT_YAMLDOCUMENT_H
