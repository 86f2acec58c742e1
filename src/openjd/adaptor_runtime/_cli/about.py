"""The commands ``show-config``, ``version-info`` and ``is-compatible``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..adaptors.versioning import SemanticVersion

if TYPE_CHECKING:
    import argparse

    from .. import EntryPoint

#: The version of the command line itself.
CLI_VERSION = SemanticVersion(0, 1)


def main(entry_point: EntryPoint, options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    if options.command == "show-config":
        return _show_config(entry_point)
    data_version = entry_point.load()({}).integration_data_interface_version
    name = entry_point.adaptor_name
    if options.command == "version-info":
        print(f"OpenJD Adaptor CLI Version: '{CLI_VERSION}'")
        print(f"{name} Data Interface Version: '{data_version}'")
        return 0
    expected_cli = _version(options.openjd_adaptor_cli_version, "--openjd-adaptor-cli-version")
    expected_data = _version(
        options.integration_data_interface_version, "--integration-data-interface-version"
    )
    compatible = CLI_VERSION.has_compatibility_with(
        expected_cli
    ) and data_version.has_compatibility_with(expected_data)
    word = "compatible" if compatible else "incompatible"
    print(
        f"Installed interface versions are {word} with expected:\n"
        f"Installed:\n\tOpenJD Adaptor CLI Version: {CLI_VERSION}\n"
        f"\t{name} Data Interface Version: {data_version}\n"
        f"Expected:\n\tOpenJD Adaptor CLI Version: {expected_cli}\n"
        f"\t{name} Data Interface Version: {expected_data}",
        file=sys.stdout if compatible else sys.stderr,
    )
    return 0 if compatible else 1


def _version(text: str, option: str) -> SemanticVersion:
    from .._data import DataError

    try:
        return SemanticVersion.parse(text)
    except ValueError as e:
        raise DataError(f"{option}: {e}") from e


def _show_config(entry_point: EntryPoint) -> int:
    import yaml

    from ..adaptors.configuration import runtime_configuration_manager

    adaptor = entry_point.load()({})
    shown = dict(runtime_configuration_manager().build_config().config)
    shown[entry_point.adaptor_name] = dict(adaptor.config.config)
    print(yaml.safe_dump(shown, sort_keys=True), end="")
    return 0
