"""``python -m engraver_adaptor``: the adaptor's daemon is started this way, too."""

from engraver_adaptor import main

if __name__ == "__main__":
    main()
