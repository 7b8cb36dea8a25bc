/* A system call for memory kills the process once the instance exists. */
#include "model.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FORBID(NUMBER)                                                         \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NUMBER, 0, 1),                           \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static int forbid_allocation(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      FORBID(SYS_mmap),    FORBID(SYS_munmap), FORBID(SYS_mremap),
      FORBID(SYS_brk),     FORBID(SYS_openat), FORBID(SYS_read),
      FORBID(SYS_madvise), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                 SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static float x[64 * 1000], y[64 * 1000];
static uint8_t q[8], r[8];

int main(int argc, char **argv) {
  (void)argv;
  const int64_t x_shape[] = {64, 1000}, q_shape[] = {8}, columns[] = {1, 64};
  qcc_tensor in[2] = {{x, QCC_F32, 2, x_shape, NULL},
                      {q, QCC_U8, 1, q_shape, NULL}};
  qcc_tensor out[2] = {{y, QCC_F32, 2, x_shape, columns},
                       {r, QCC_U8, 1, q_shape, NULL}};
  qcc_options options = {sizeof(options)};
  options.threads = 2;
  qcc_instance *net;
  if (qcc_create(&options, &net) != QCC_OK)
    return 2;
  if (forbid_allocation())
    return 77; /* this kernel has no filters */
  if (argc > 1) /* the filter itself works */
    return qcc_create(&options, &net);
  for (int i = 0; i < 100; ++i)
    if (qcc_run(net, in, 2, out, 2) != QCC_OK)
      return 3;
  static const char text[] = "no allocation\n";
  return write(1, text, strlen(text)) < 0;
}
