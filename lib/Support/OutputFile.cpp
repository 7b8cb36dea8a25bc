//===- OutputFile.cpp - Output that is whole or absent --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/OutputFile.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace qcc;

static bool writeAll(int file, const char *data, size_t size) {
  while (size) {
    ssize_t written = ::write(file, data, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    data += written;
    size -= size_t(written);
  }
  return true;
}

Status qcc::checkWritable(const std::string &path) {
  auto fail = [&](int code) {
    return Failure{"cannot write '" + path + "': " + std::strerror(code)};
  };
  struct stat info;
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode))
      return fail(EISDIR);
    if (::access(path.c_str(), W_OK) != 0)
      return fail(errno);
    if (!S_ISREG(info.st_mode))
      return {}; // written directly
  }
  // The folder takes the temporary file.
  char resolved[PATH_MAX];
  std::string target = ::realpath(path.c_str(), resolved) ? resolved : path;
  size_t slash = target.rfind('/');
  std::string folder = slash == std::string::npos ? "."
                       : slash == 0               ? "/"
                                                  : target.substr(0, slash);
  if (::stat(folder.c_str(), &info) != 0)
    return fail(errno);
  if (!S_ISDIR(info.st_mode))
    return fail(ENOTDIR);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail(errno);
  return {};
}

Status qcc::writeFile(const std::string &path, const char *data, size_t size,
                      bool executable) {
  auto fail = [&](int code) {
    return Failure{"cannot write '" + path + "': " + std::strerror(code)};
  };
  if (Status writable = checkWritable(path); !writable)
    return writable;
  // A link stays one: the file that it points to is replaced.
  std::string target = path;
  char resolved[PATH_MAX];
  struct stat info;
  bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && ::realpath(path.c_str(), resolved))
    target = resolved;

  bool direct = exists && !S_ISREG(info.st_mode);
  std::string name = target;
  int file = -1;
  if (direct) {
    file = ::open(name.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // The name is this process's own; leftovers of another one are stepped
    // over.
    mode_t mode = executable ? 0777 : 0666;
    for (int attempt = 0; attempt < 100; ++attempt) {
      name = target + ".tmp" + std::to_string(::getpid()) + "-" +
             std::to_string(attempt);
      file =
          ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (file >= 0 || errno != EEXIST)
        break;
    }
  }
  if (file < 0)
    return fail(errno);
  bool ok = writeAll(file, data, size);
  int code = errno;
  if (::close(file) != 0 && ok) {
    ok = false;
    code = errno;
  }
  if (ok && !direct && ::rename(name.c_str(), target.c_str()) != 0) {
    ok = false;
    code = errno;
  }
  if (ok)
    return {};
  if (!direct)
    ::unlink(name.c_str());
  return fail(code);
}
