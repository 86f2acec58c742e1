from __future__ import annotations

from openjd.adaptor_runtime import EntryPoint


def main() -> None:
    EntryPoint("adaptor_by_name.adaptor:BenchmarkAdaptor").start()


if __name__ == "__main__":
    main()
