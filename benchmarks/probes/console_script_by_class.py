"""What pip makes of a `[project.scripts]` entry, for adaptor_by_class."""

import re
import sys

from adaptor_by_class.__main__ import main  # type: ignore[import-not-found]

if __name__ == "__main__":
    sys.argv[0] = re.sub(r"(-script\.pyw|\.exe)?$", "", sys.argv[0])
    sys.exit(main())
