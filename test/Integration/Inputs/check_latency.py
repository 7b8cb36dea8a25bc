#!/usr/bin/env python3
"""Checks the JSON of benchmarks/latency.py on resnet8: check_latency.py FILE"""
import json
import sys

[result] = json.load(open(sys.argv[1]))["results"]
rows = {(r["runtime"], r["form"]): r for r in result["rows"]}
forms = {(runtime, form) for runtime in ("qcc", "ort") for form in ("fp32", "int8", "qdq")}
assert forms <= set(rows), rows.keys()
assert not result["failures"], result["failures"]
assert result["macs"] > 12e6 and result["peak_macs_per_ms"] > 1e6, result
assert rows["qcc", "fp32"]["sqnr_db"] > 80
assert 5 < rows["qcc", "int8"]["sqnr_db"] < 80
for row in rows.values():
    assert all(row[key] > 0 for key in ("min_ms", "load_ms", "first_ms", "file_mb")), row
