#!/usr/bin/env python3
"""Latency of qcc's float and int8 code beside ONNX Runtime's, on the same models.

  benchmarks/latency.py [NAME...] [--threads=1,2] [--json=FILE] [--plot=FILE.svg]

NAME is a model of the suite (made by the performance kit from seeded weights),
a float model of the assets, or a folder below --models; default: all of them.

Both runtimes get the same float file and the same quantized files, and each is
scored by its fastest quantized form; qcc only by one whose error against float
is no larger than that of ONNX Runtime's fastest (SQNR over all sets of inputs,
within --slack dB). Every program runs in a process of its own; they take turns
in rounds, so that all see the same machine. Of each, the median of its rounds'
medians and the least time.
The share of the peak sets the model's products against what one core's best
8-bit instruction reaches on registers, measured in the same run.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import collect
from harness import compiler, ort

MB = 1 << 20


class Program:
    """A worker process with a model loaded."""

    def __init__(self, runtime, form, path, feeds, threads, config=None):
        self.runtime, self.form, self.path = runtime, form, path
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.rounds = []
        try:
            self.start = self.ask(load=runtime, path=str(path), threads=threads,
                                  config=config or {}, feeds=str(feeds))
        except RuntimeError:
            self.close()
            raise

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise RuntimeError(f"{self.runtime} {self.form}: {answer['error']}")
        return answer

    def round(self, seconds, clock):
        self.rounds.append(self.ask(run=seconds)[clock])

    def outputs(self, folder, sets):
        """Of all sets of inputs, {"NUMBER:NAME": array}."""
        file = pathlib.Path(folder) / "outputs.npz"
        self.ask(save=str(file), sets=[str(s) for s in sets])
        with np.load(file) as archive:
            return {k: archive[k] for k in archive.files}

    def figures(self):
        medians = [float(np.median(r)) for r in self.rounds]
        return {"runtime": self.runtime, "form": self.form, "median_ms": float(np.median(medians)),
                "min_ms": min(map(min, self.rounds)), **self.start,
                "file_mb": pathlib.Path(self.path).stat().st_size / MB}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def sqnr(reference, outputs):
    """Least signal-to-noise ratio of the float outputs, in dB, each over all sets of inputs."""
    signal, noise = {}, {}
    for key, expected in reference.items():
        if expected.dtype.kind != "f" or key not in outputs:
            continue
        name = key.partition(":")[2]
        a, b = expected.astype(np.float64), outputs[key].astype(np.float64)
        signal[name] = signal.get(name, 0) + np.square(a).sum()
        noise[name] = noise.get(name, 0) + np.square(a - b).sum()
    return min((10 * np.log10(max(signal[n], 1e-30) / max(noise[n], 1e-30)) for n in signal),
               default=float("nan"))


def profile(path):
    """Products of one inference, and the machine's peak in products per ms."""
    text = compiler.call([compiler.tool("qcc-run"), path, "-profile", "-bench=3", "-threads=1",
                          "-json"])
    found = json.loads(text[text.index("{"):])
    return sum(s["macs"] for s in found["steps"]), found["peak_gops"]["i8"] / 2 * 1e6


def start_all(model, threads, folder, args):
    """Programs of every form in both runtimes; what fails is told and left out."""
    feeds = model.sets[0]
    programs, failures = [], []

    def add(runtime, form, path, config=None):
        try:
            programs.append(Program(runtime, form.name, path, folder / "feeds0.npz", threads, config))
        except RuntimeError as error:
            failures.append(str(error))

    for form in [model.float_form, *model.quantized]:
        out = folder / f"{form.name}.so"
        try:
            if not out.exists():
                compiler.compile_model(form.path, out, "-quantize=none", f"-target={args.target}",
                                       *args.options, feeds=feeds)
            add("qcc", form, out)
        except compiler.ToolError as error:
            failures.append(f"qcc {form.name}: {error}")
    if model.float_form.name == "fp32" and args.dynamic:
        out = folder / "auto.so"
        try:
            if not out.exists():
                compiler.compile_model(model.float_form.path, out, f"-target={args.target}",
                                       *args.options, feeds=feeds)
            add("qcc", collect.Form("auto", out), out)
        except compiler.ToolError as error:
            failures.append(f"qcc auto: {error}")
    for form in [model.float_form, *model.ort_forms()]:
        add("ort", form, form.path, form.config)
    return programs, failures


def choose(rows, slack):
    """The float and the best quantized row of each runtime."""
    best = {}
    for runtime in ("qcc", "ort"):
        mine = [r for r in rows if r["runtime"] == runtime]
        best[runtime, "float"] = next((r for r in mine if r["form"] == "fp32"), None)
    quantized = lambda runtime: sorted((r for r in rows if r["runtime"] == runtime and
                                        r["form"] != "fp32"), key=lambda r: r["median_ms"])
    best["ort", "int8"] = next(iter(quantized("ort")), None)
    limit = best["ort", "int8"]["sqnr_db"] - slack if best["ort", "int8"] else -np.inf
    fair = [r for r in quantized("qcc") if not r["sqnr_db"] < limit]
    best["qcc", "int8"] = next(iter(fair), None)
    return best


def measure(model, threads, folder, args):
    files = [folder / f"feeds{number}.npz" for number in range(len(model.sets))]
    for file, feeds in zip(files, model.sets):
        np.savez(file, **feeds)
    programs, failures = start_all(model, threads, folder, args)
    try:
        for p in programs:
            p.ask(run=0.05)
        for _ in range(args.rounds):
            for p in programs:
                p.round(args.seconds, args.clock + "_ms")
        reference = next((p.outputs(folder, files) for p in programs
                          if p.runtime == "ort" and p.form == "fp32"), {})
        rows = [{**p.figures(), "sqnr_db": sqnr(reference, p.outputs(folder, files))} for p in programs]
    finally:
        for p in programs:
            p.close()
    macs, peak = 0, 0
    for row, p in zip(rows, programs):
        if p.runtime == "qcc" and not macs:
            macs, peak = profile(p.path)
    return {"model": model.name, "threads": threads, "macs": macs, "peak_macs_per_ms": peak,
            "rows": rows, "failures": failures}


def ratio(a, b):
    return a["median_ms"] / b["median_ms"] if a and b else float("nan")


def summary(result, slack):
    best = choose(result["rows"], slack)
    q, o = best["qcc", "int8"], best["ort", "int8"]
    peak = result["peak_macs_per_ms"] * result["threads"]
    share = lambda row: 100 * result["macs"] / (peak * row["median_ms"]) if row and peak else None
    return {"model": result["model"], "threads": result["threads"],
            "qcc_float": best["qcc", "float"], "ort_float": best["ort", "float"],
            "qcc_int8": q, "ort_int8": o,
            "float_ratio": ratio(best["ort", "float"], best["qcc", "float"]),
            "int8_ratio": ratio(o, q), "gain": ratio(best["qcc", "float"], q),
            "qcc_peak_percent": share(q), "ort_peak_percent": share(o)}


def cell(row, what="median_ms", width=9, digits=3):
    return f"{row[what]:{width}.{digits}f}" if row else f"{'-':>{width}}"


def print_latency(rows):
    print(f"{'model':27} T {'qcc f32':>9} {'(min)':>9} {'ORT f32':>9} {'(min)':>9} {'ratio':>6} "
          f"{'qcc int8':>9} {'(min)':>9} {'ORT int8':>9} {'(min)':>9} {'ratio':>6} {'gain':>6} "
          f"{'peak%':>11} {'SQNR dB':>11}  forms")
    for r in rows:
        q, o = r["qcc_int8"], r["ort_int8"]
        peak = "/".join(f"{x:.0f}" if x else "-" for x in (r["qcc_peak_percent"],
                                                           r["ort_peak_percent"]))
        noise = "/".join(f"{x['sqnr_db']:.1f}" if x else "-" for x in (q, o))
        print(f"{r['model']:27} {r['threads']} "
              + " ".join(cell(r[k], w) for k in ("qcc_float", "ort_float")
                         for w in ("median_ms", "min_ms")) + f" {r['float_ratio']:6.2f} "
              + " ".join(cell(r[k], w) for k in ("qcc_int8", "ort_int8")
                         for w in ("median_ms", "min_ms"))
              + f" {r['int8_ratio']:6.2f} {r['gain']:6.2f} {peak:>11} {noise:>11}  "
              + "/".join(x["form"] if x else "-" for x in (q, o)))


def print_costs(rows):
    print(f"\n{'int8: qcc, ONNX Runtime':27} T {'load ms':>17} {'first result ms':>17} "
          f"{'memory MB':>15} {'file MB':>15}")
    for r in rows:
        both = [r["qcc_int8"] or r["qcc_float"], r["ort_int8"] or r["ort_float"]]
        print(f"{r['model']:27} {r['threads']} "
              + " ".join(" ".join(cell(x, what, width, 2) for x in both)
                         for what, width in (("load_ms", 8), ("first_ms", 8), ("rss_mb", 7),
                                             ("file_mb", 7))))


def geometric_mean(values):
    values = [v for v in values if np.isfinite(v)]
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def plot(rows, path):
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("--plot needs matplotlib (Debian: python3-matplotlib)")
    matplotlib.use("Agg")
    from matplotlib import pyplot
    threads = sorted({r["threads"] for r in rows})
    names = list(dict.fromkeys(r["model"] for r in rows))
    figure, axes = pyplot.subplots(figsize=(8, 1.5 + 0.3 * len(names) * len(threads)))
    height = 0.8 / (2 * len(threads))
    for t, count in enumerate(threads):
        for k, (key, color) in enumerate((("float_ratio", "#9db8d9"), ("int8_ratio", "#1f5fa8"))):
            found = {r["model"]: r[key] for r in rows if r["threads"] == count}
            at = [i + (2 * t + k + 0.5) * height - 0.4 for i in range(len(names))]
            axes.barh(at, [found.get(n, np.nan) for n in names], height, color=color,
                      alpha=1 - 0.3 * t, label=f"{key.split('_')[0]}, {count} thread(s)")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("times faster than ONNX Runtime (median latency)")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--models", default=os.environ.get("BENCH_MODELS") or
                        pathlib.Path(__file__).resolve().parents[1] / "build/bench-models",
                        help="folder of made models (BENCH_MODELS, else build/bench-models)")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="per program and round")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall",
                        help="cpu: of the calling thread, for one thread on a busy machine")
    parser.add_argument("--target", default="native")
    parser.add_argument("--slack", type=float, default=0.5, help="dB of SQNR, see above")
    parser.add_argument("--no-dynamic", dest="dynamic", action="store_false",
                        help="leave out qcc's own quantization of the float file")
    parser.add_argument("--options", type=str.split, default=[], help="more options for qcc")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    args = parser.parse_args()

    collection = collect.Collection(args.models)
    results, rows = [], []
    print(f"ONNX Runtime {ort.api().version}; {args.clock} ms", flush=True)
    for name in args.names or collection.names():
        model = collection.get(name)
        with tempfile.TemporaryDirectory() as scratch:
            for threads in map(int, args.threads.split(",")):
                result = measure(model, threads, pathlib.Path(scratch), args)
                results.append(result)
                rows.append(summary(result, args.slack))
                for failure in result["failures"]:
                    print(f"{name}: {failure}", file=sys.stderr)
                print(f"{name}, {threads} thread(s): float {rows[-1]['float_ratio']:.2f}, "
                      f"int8 {rows[-1]['int8_ratio']:.2f} times faster", file=sys.stderr, flush=True)
    print_latency(rows)
    for key in ("float_ratio", "int8_ratio"):
        print(f"geometric mean of {key}: {geometric_mean(r[key] for r in rows):.2f}")
    print("ratio: ORT/qcc; gain: qcc's float/int8; peak%, SQNR, forms: qcc/ORT")
    print_costs(rows)
    if args.json:
        args.json.write_text(json.dumps({"clock": args.clock, "results": results,
                                         "summary": rows}, indent=1))
    if args.plot:
        plot(rows, args.plot)


if __name__ == "__main__":
    sys.exit(main())
