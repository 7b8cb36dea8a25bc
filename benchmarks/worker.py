"""One model in one runtime, in a process of its own, driven through standard input and output.

Alone in its process, a runtime's memory and start-up can be measured and its
threads disturb nobody. Requests and answers are JSON, a line each:

  {"load": "ort" | "qcc", "path": ..., "threads": N, "config": {...}, "feeds": FILE.npz}
      -> {"load_ms", "first_ms", "rss_mb", "inputs"}: until it could run, until the first
         result (from the start of loading), peak memory beyond that of this program
  {"run": SECONDS, "flush": BYTES} -> {"wall_ms": [...], "cpu_ms": [...]} of single runs; cpu: of
         this thread. Before each, so many bytes are read, if any: caches hold nothing else
  {"save": FILE.npz, "sets": [FILE.npz, ...]} -> {}: the outputs for each set of inputs, as
         "NUMBER:NAME"
"""
import json
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import loaded, ort


def peak_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


class Worker:
    def load(self, request):
        with np.load(request["feeds"]) as archive:
            feeds = {k: archive[k] for k in archive.files}
        if request["load"] == "ort":
            ort.api()  # loading the library is not the model's cost
        before, start = peak_mb(), time.perf_counter()
        if request["load"] == "ort":
            self.model = ort.Session(request["path"], threads=request["threads"],
                                     config=request["config"])
        else:
            self.model = loaded.Loaded(request["path"], request["threads"])
        load = time.perf_counter() - start
        self.bound = self.model.bind(feeds)
        self.bound()
        first = time.perf_counter() - start
        return {"load_ms": 1e3 * load, "first_ms": 1e3 * first, "rss_mb": peak_mb() - before}

    def run(self, request):
        wall, cpu, end = [], [], time.perf_counter() + request["run"]
        others = np.ones(request.get("flush", 0) // 8)
        while time.perf_counter() < end or len(wall) < 3:
            others.sum()
            own, start = time.thread_time(), time.perf_counter()
            self.bound()
            wall.append(1e3 * (time.perf_counter() - start))
            cpu.append(1e3 * (time.thread_time() - own))
        return {"wall_ms": wall, "cpu_ms": cpu}

    def save(self, request):
        outputs = {}
        for number, file in enumerate(request["sets"]):
            with np.load(file) as archive:
                bound = self.model.bind({k: archive[k] for k in archive.files})
            bound()
            outputs.update({f"{number}:{k}": v for k, v in bound.results().items()})
        np.savez(request["save"], **outputs)
        return {}


def main():
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        for name in ("load", "run", "save"):
            if name in request:
                try:
                    answer = getattr(worker, name)(request)
                except (RuntimeError, KeyError) as error:
                    answer = {"error": str(error)}
                print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
