//===- ShareConstants.cpp - Constants of several levels -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShareConstants.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace qcc {

ConstantSharing::ConstantSharing(ModuleOp model) {
  model.walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs())
      if (auto value =
              dyn_cast<DenseResourceElementsAttr>(attribute.getValue()))
        ofModel.insert(value.getRawHandle().getResource());
    // Properties are no part of the attributes of some ops.
    if (auto properties =
            dyn_cast_or_null<DictionaryAttr>(op->getPropertiesAsAttribute()))
      for (NamedAttribute attribute : properties)
        if (auto value =
                dyn_cast<DenseResourceElementsAttr>(attribute.getValue()))
          ofModel.insert(value.getRawHandle().getResource());
  });
}

void ConstantSharing::add(ModuleOp level) {
  llvm::SmallPtrSet<Blob *, 16> freed;
  for (auto global : level.getOps<memref::GlobalOp>()) {
    auto value = dyn_cast_or_null<DenseResourceElementsAttr>(
        global.getInitialValueAttr());
    if (!value)
      continue;
    DenseResourceElementsHandle handle = value.getRawHandle();
    if (ofModel.contains(handle.getResource()))
      continue;
    AsmResourceBlob *blob = handle.getBlob();
    if (!blob)
      continue;
    ArrayRef<char> bytes = blob->getData();
    auto &candidates =
        byHash[llvm::xxh3_64bits(
                   ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()),
                            bytes.size())) >>
               1];
    auto known = llvm::find_if(candidates, [&](auto &candidate) {
      return candidate.getBlob()->getData() == bytes;
    });
    if (known == candidates.end()) {
      candidates.push_back(handle);
      continue;
    }
    global.setInitialValueAttr(
        DenseResourceElementsAttr::get(value.getType(), *known));
    if (handle.getResource() != known->getResource())
      freed.insert(handle.getResource());
  }
  // Nothing else refers to what this level packed for itself.
  for (Blob *blob : freed)
    blob->setBlob(AsmResourceBlob());
}

} // namespace qcc
