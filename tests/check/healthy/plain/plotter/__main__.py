"""``python -m plotter``."""

from openjd.adaptor_runtime import EntryPoint


def main() -> None:
    """The console command ``plotter-openjd``."""
    EntryPoint("plotter.adaptor:PlotterAdaptor").start()


if __name__ == "__main__":
    main()
