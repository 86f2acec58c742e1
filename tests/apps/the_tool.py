"""``python -m the_tool``: openjd-adaptor, wherever its command is installed."""

import sys

from openjd.adaptor_runtime._cli.tool import main

if __name__ == "__main__":
    sys.exit(main())
