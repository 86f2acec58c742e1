"""``python -m engraver``."""

from engraver import main

main()
