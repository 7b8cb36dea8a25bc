/*===- cpu.c - Which level this processor can run -----------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

static void set_feature(uint64_t features[2], unsigned bit) {
  features[bit / 64] |= 1ull << bit % 64;
}

#if defined(__x86_64__)

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]) {
  __asm__ volatile("cpuid"
                   : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
                   : "a"(leaf), "c"(subleaf));
}

/* The register states that the operating system saves: bits of XCR0. */
static uint64_t enabled_states(void) {
  uint32_t regs[4], low, high;
  cpuid(1, 0, regs);
  if (!(regs[2] >> 27 & 1)) /* OSXSAVE */
    return 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

struct x86_feature {
  uint32_t leaf;
  uint8_t bit, subleaf, reg, at, state;
};
static const struct x86_feature x86_features[] = {
#define QCC_X86_FEATURE(BIT, NAME, LEAF, SUBLEAF, REG, AT, STATE)              \
  {LEAF, BIT, SUBLEAF, REG, AT, STATE},
#include "features.def"
};
/* XCR0 bits per QCC_X86_FEATURE state. */
static const uint64_t state_masks[] = {0, 0x6, 0xe6, 0x60000};

void qcc_probe(uint64_t features[2]) {
  features[0] = features[1] = 0;
  uint64_t states = enabled_states();
  uint32_t regs[4];
  cpuid(0, 0, regs);
  uint32_t max_leaf = regs[0];
  cpuid(0x80000000u, 0, regs);
  uint32_t max_extended = regs[0];
  uint32_t max_subleaf = 0;
  if (max_leaf >= 7) {
    cpuid(7, 0, regs);
    max_subleaf = regs[0];
  }
  /* Leaf 0 holds no features. The table's order keeps those of a leaf together:
   * under a hypervisor, asking takes microseconds. */
  uint32_t leaf = 0, subleaf = 0;
  for (unsigned i = 0; i < sizeof(x86_features) / sizeof(*x86_features); ++i) {
    const struct x86_feature *f = &x86_features[i];
    if (f->leaf > (f->leaf >> 31 ? max_extended : max_leaf) ||
        f->subleaf > max_subleaf)
      continue;
    if (f->leaf != leaf || f->subleaf != subleaf)
      cpuid(leaf = f->leaf, subleaf = f->subleaf, regs);
    uint64_t need = state_masks[f->state];
    if ((regs[f->reg] >> f->at & 1) && (states & need) == need)
      set_feature(features, f->bit);
  }
}

/* Linux hands out the tile registers on request only. */
static bool enable_level(const struct qcc_level *level) {
  const uint64_t amx_tile = 1ull << 32;
  return !(level->features[0] & amx_tile) ||
         qcc_syscall(QCC_SYS_ARCH_PRCTL, 0x1023, 18, 0, 0, 0, 0) == 0;
}

#elif defined(__aarch64__)

struct arm_feature {
  uint8_t bit, word, at;
};
static const struct arm_feature arm_features[] = {
#define QCC_ARM_FEATURE(BIT, NAME, WORD, AT) {BIT, WORD, AT},
#include "features.def"
};

void qcc_probe(uint64_t features[2]) {
  features[0] = features[1] = 0;
  uint64_t words[2] = {0, 0};
  long file = qcc_open("/proc/self/auxv");
  if (file < 0) /* no /proc: the baseline runs anywhere */
    return;
  uint64_t entry[2];
  while (qcc_read(file, entry, sizeof(entry)) == sizeof(entry)) {
    if (entry[0] == 16) /* AT_HWCAP */
      words[0] = entry[1];
    else if (entry[0] == 26) /* AT_HWCAP2 */
      words[1] = entry[1];
  }
  qcc_close(file);
  for (unsigned i = 0; i < sizeof(arm_features) / sizeof(*arm_features); ++i)
    if (words[arm_features[i].word] >> arm_features[i].at & 1)
      set_feature(features, arm_features[i].bit);
}

static bool enable_level(const struct qcc_level *level) {
  (void)level;
  return true;
}

#endif

/* The value of QCC_ISA when the process started (the live environment belongs
 * to libc, of which there may be none). False where it is not set. */
static bool read_isa_variable(char *value, size_t size) {
  static const char name[] = "QCC_ISA=";
  long file = qcc_open("/proc/self/environ");
  if (file < 0)
    return false;
  char chunk[512];
  size_t at = 0; /* in the current entry; beyond `name`: in the value */
  bool matches = true, found = false;
  for (long n; !found && (n = qcc_read(file, chunk, sizeof(chunk))) > 0;)
    for (long i = 0; i < n && !found; ++i) {
      char c = chunk[i];
      if (matches && at >= sizeof(name) - 1) {
        size_t k = at - (sizeof(name) - 1);
        value[k < size ? k : size - 1] = k < size - 1 ? c : 0;
        found = !c;
      } else if (matches && c != name[at]) {
        matches = false;
      }
      if (c)
        ++at;
      else
        at = 0, matches = true;
    }
  qcc_close(file);
  return found && value[0];
}

static bool lower_cap(const char *name, uint64_t *cap) {
  for (uint32_t i = 0; i < qcc_program.num_names; ++i)
    if (qcc_same_string(name, qcc_program.names[i].name)) {
      if (qcc_program.names[i].rank < *cap)
        *cap = qcc_program.names[i].rank;
      return true;
    }
  return false;
}

int32_t qcc_choose_level(const char *isa, uint32_t *level) {
  uint64_t cap = UINT64_MAX;
  char value[32];
  if (isa && *isa && !lower_cap(isa, &cap))
    return QCC_ERROR_ISA;
  if (read_isa_variable(value, sizeof(value)) && !lower_cap(value, &cap))
    return QCC_ERROR_ISA;
  uint64_t features[2];
  qcc_probe(features);
  int32_t status = QCC_ERROR_ISA;
  for (uint32_t i = qcc_program.info.num_levels; i-- > 0;) {
    const struct qcc_level *l = &qcc_program.levels[i];
    if (qcc_program.info.levels[i].rank > cap)
      continue;
    status = QCC_ERROR_PROCESSOR;
    if ((l->features[0] & ~features[0]) == 0 &&
        (l->features[1] & ~features[1]) == 0 && enable_level(l)) {
      *level = i;
      return QCC_OK;
    }
  }
  return status;
}
