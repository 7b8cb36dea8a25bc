"""A model whose inputs change their shapes: compiled for each when it comes."""
import pathlib

import numpy as np

from harness import assets, compiler, loaded

# Causal models: what stands behind a token changes nothing in front of it, so that
# sequences (dimension 1 of inputs and outputs) can be filled up to a multiple of this.
FILLED = {"stories260k_prefill_f32": ("input_ids", 128)}


def fitted(value, shape):
    """Repeated or cut along each dimension."""
    for axis, size in enumerate(shape):
        value = np.take(value, np.arange(size) % value.shape[axis], axis)
    return value


class Shaped:
    """shaped(feeds) -> {output name: array}. Calibrated on samples that are repeated or
    cut to the shapes in question."""

    def __init__(self, name, folder, *options, calibrated, samples=64, timeout=600):
        self.name, self.folder, self.options = name, pathlib.Path(folder), options
        self.samples, self.runs = samples if calibrated else 0, {}
        self.timeout = timeout

    def __call__(self, feeds):
        feeds = {key: np.asarray(value) for key, value in feeds.items()}
        whole = None
        if self.name in FILLED:
            key, multiple = FILLED[self.name]
            whole = feeds[key].shape[1]
            feeds = {**feeds, key: np.pad(feeds[key], [(0, 0), (0, -whole % multiple)])}
        shapes = tuple(sorted((key, value.shape) for key, value in feeds.items()))
        if shapes not in self.runs:
            self.runs[shapes] = self._compile(feeds)
        outputs = self.runs[shapes](feeds)
        if whole is None:
            return outputs
        return {key: value[:, :whole] for key, value in outputs.items()}

    def _compile(self, feeds):
        number, options = len(self.runs), list(self.options)
        if self.samples:
            samples = self.folder / f"{self.name}.{number}"
            samples.mkdir(exist_ok=True)
            for k, sample in enumerate(self._calibration()):
                np.savez(samples / f"{k:04}.npz",
                         **{key: fitted(value, feeds[key].shape) for key, value in sample.items()})
            options.append(f"-calib={samples}")
        out = self.folder / f"{self.name}.{number}.{'int8' if self.samples else 'float'}.so"
        compiler.compile_model(assets.path(self.name), out, *options, feeds=feeds,
                               timeout=self.timeout)
        return loaded.Loaded(out)

    def _calibration(self):
        samples = assets.tools().calibration(str(assets.root()), self.name, self.samples)
        if isinstance(samples, dict):
            count = min(len(value) for value in samples.values())
            return [{key: value[k:k + 1] for key, value in samples.items()} for k in range(count)]
        return samples
