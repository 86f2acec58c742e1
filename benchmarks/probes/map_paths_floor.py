"""The floor of map_path: one prefix compared and replaced."""

from __future__ import annotations

import json
import sys

from path_subject import make_paths, microseconds_per_call  # type: ignore[import-not-found]

_SOURCE, _DESTINATION = "/mnt/projects", "/local/assets"


def _map_path(path: str) -> str:
    return _DESTINATION + path[len(_SOURCE) :] if path.startswith(_SOURCE) else path


def main() -> None:
    config = json.loads(sys.argv[1])
    times = microseconds_per_call(_map_path, make_paths(10), config["repeats"], config["limit_s"])
    with open(sys.argv[2], "w") as file:
        json.dump({"floor": list(times)}, file)


if __name__ == "__main__":
    main()
