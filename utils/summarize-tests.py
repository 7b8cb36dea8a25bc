#!/usr/bin/env python3
"""Prints why tests were skipped, then 'N passed, N failed, N skipped', from lit's JSON results."""
import collections
import json
import pathlib
import re
import sys

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def main(path):
    file = pathlib.Path(path)
    if not file.exists():
        print(f"{path}: no results, so the tests did not run")
        return 1
    tests = json.loads(file.read_text())["tests"]
    counts = collections.Counter()
    reasons = collections.Counter()
    for test in tests:
        code = test["code"]
        if code in PASSED:
            counts["passed"] += 1
        elif code in SKIPPED:
            counts["skipped"] += 1
            match = re.search(r"unavailable features: (.*)", test["output"])
            reasons[match.group(1) if match else code.lower()] += 1
        else:
            counts["failed"] += 1
            print(f"{code}: {test['name']}")
    for reason, n in sorted(reasons.items()):
        print(f"skipped {n}: needs {reason}")
    if not tests:
        print("no test was found")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return counts["failed"] != 0 or counts["passed"] == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
