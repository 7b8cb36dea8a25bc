//===- ConstantPool.cpp - Constants as one section ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantPool.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SwapByteOrder.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;
using namespace qcc::emit;

static constexpr uint64_t kAlignment = 64;

uint64_t ConstantPool::add(ArrayRef<char> bytes) {
  ArrayRef<uint8_t> raw(reinterpret_cast<const uint8_t *>(bytes.data()),
                        bytes.size());
  SmallVector<size_t, 1> &candidates = byHash[xxh3_64bits(raw) >> 1];
  for (size_t index : candidates)
    if (entries[index].bytes == bytes)
      return entries[index].offset;
  candidates.push_back(entries.size());
  uint64_t offset = alignTo(size, kAlignment);
  entries.push_back({offset, bytes});
  size = offset + bytes.size();
  return offset;
}

namespace {
/// The sections of the file, in this order.
enum Section : unsigned { Null, Data, Symbols, Strings, Names, Count };
} // namespace

template <typename T>
static void put(SmallVectorImpl<char> &file, uint64_t at, const T &record) {
  static_assert(sys::IsLittleEndianHost, "ELF files are written as in memory");
  std::memcpy(file.data() + at, &record, sizeof(T));
}

SmallVector<char, 0> ConstantPool::writeObject(const Triple &triple,
                                               StringRef symbol) const {
  constexpr StringRef names(
      "\0.rodata.constants\0.symtab\0.strtab\0.shstrtab\0", 46);
  ELF::Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
  symbols[1].st_other = ELF::STV_HIDDEN;
  symbols[1].st_shndx = Data;
  symbols[1].st_size = size;

  ELF::Elf64_Shdr sections[Count] = {};
  uint64_t end = sizeof(ELF::Elf64_Ehdr);
  auto place = [&](Section section, StringRef name, unsigned type,
                   uint64_t bytes, uint64_t alignment) {
    end = alignTo(end, alignment);
    sections[section].sh_name = names.find(name);
    sections[section].sh_type = type;
    sections[section].sh_offset = end;
    sections[section].sh_size = bytes;
    sections[section].sh_addralign = alignment;
    end += bytes;
  };
  place(Data, ".rodata.constants", ELF::SHT_PROGBITS, size, kAlignment);
  place(Symbols, ".symtab", ELF::SHT_SYMTAB, sizeof(symbols), 8);
  place(Strings, ".strtab", ELF::SHT_STRTAB, symbol.size() + 2, 1);
  place(Names, ".shstrtab", ELF::SHT_STRTAB, names.size(), 1);
  sections[Data].sh_flags = ELF::SHF_ALLOC;
  sections[Symbols].sh_link = Strings;
  sections[Symbols].sh_info = 1; // the first global symbol
  sections[Symbols].sh_entsize = sizeof(ELF::Elf64_Sym);

  ELF::Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELF::ElfMagic, 4);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine = triple.isX86() ? ELF::EM_X86_64 : ELF::EM_AARCH64;
  header.e_version = ELF::EV_CURRENT;
  header.e_ehsize = sizeof(header);
  header.e_shentsize = sizeof(ELF::Elf64_Shdr);
  header.e_shnum = Count;
  header.e_shstrndx = Names;
  header.e_shoff = alignTo(end, 8);

  SmallVector<char, 0> file(header.e_shoff + sizeof(sections), 0);
  put(file, 0, header);
  for (const Entry &entry : entries)
    if (!entry.bytes.empty())
      std::memcpy(file.data() + sections[Data].sh_offset + entry.offset,
                  entry.bytes.data(), entry.bytes.size());
  put(file, sections[Symbols].sh_offset, symbols);
  std::memcpy(file.data() + sections[Strings].sh_offset + 1, symbol.data(),
              symbol.size());
  std::memcpy(file.data() + sections[Names].sh_offset, names.data(),
              names.size());
  put(file, header.e_shoff, sections);
  return file;
}
