from __future__ import annotations

from openjd.adaptor_runtime import EntryPoint

from .adaptor import BenchmarkAdaptor

if __name__ == "__main__":
    EntryPoint(BenchmarkAdaptor).start()
