#!/usr/bin/env python3
"""Runs a command that must fail well: exit status 1, one error, nothing left behind.

  fails.py OUT COMMAND...    OUT is the file that the command would write ('-': none)

Prints what the command printed.
"""
import pathlib
import subprocess
import sys


def main(out, command):
    out = None if out == "-" else pathlib.Path(out)
    if out:
        out.unlink(missing_ok=True)
    folder = out.parent if out and out.parent.is_dir() else None
    before = set(folder.iterdir()) if folder else set()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                          text=True, errors="replace")
    sys.stdout.write(done.stdout)
    bad = []
    if done.returncode != 1:
        bad.append(f"exit status {done.returncode}, not 1")
    errors = sum("error:" in line for line in done.stdout.splitlines())
    if errors != 1:
        bad.append(f"{errors} errors, not one")
    left = {p.name for p in set(folder.iterdir()) - before} if folder else set()
    if left:
        bad.append(f"left behind: {' '.join(sorted(left))}")
    print("\n".join("fails.py: " + b for b in bad))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
