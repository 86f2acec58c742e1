"""map_path on the adaptor's side, for each number of rules in the configuration."""

from __future__ import annotations

import json
import sys
from typing import Any

from path_subject import check, make_paths, make_rules, microseconds_per_call  # type: ignore[import-not-found]

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class _Adaptor(Adaptor[Any]):
    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        pass


def main() -> None:
    config = json.loads(sys.argv[1])
    measured = {}
    for count in config["rules"]:
        adaptor = _Adaptor({}, path_mapping_data={"path_mapping_rules": make_rules(count)})
        paths = make_paths(count)
        check(adaptor.map_path, paths)
        times = microseconds_per_call(adaptor.map_path, paths, config["repeats"], config["limit_s"])
        measured[str(count)] = list(times)
    with open(sys.argv[2], "w") as file:
        json.dump(measured, file)


if __name__ == "__main__":
    main()
