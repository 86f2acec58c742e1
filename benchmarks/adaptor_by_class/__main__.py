from __future__ import annotations

from openjd.adaptor_runtime import EntryPoint

from .adaptor import BenchmarkAdaptor


def main() -> None:
    EntryPoint(BenchmarkAdaptor).start()


if __name__ == "__main__":
    main()
