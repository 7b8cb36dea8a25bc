"""A compiled model in this process, by the package of python/."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
import qcc


class Loaded(qcc.Model):
    """loaded(feeds) -> {output name: array}; on one thread if nothing else is said."""

    def __init__(self, path, threads=1, isa=None):
        super().__init__(path, threads=threads, isa=isa)

    def __call__(self, feeds):
        return self.run(feeds)

    def bind(self, feeds):
        """As ort.Session has it: a callable, and its results."""
        run = super().bind(feeds)
        run.results = run
        return run
