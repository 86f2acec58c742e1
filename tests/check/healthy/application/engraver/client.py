"""Runs in the engraver's Python."""

import os

import engraver_api

from openjd.adaptor_runtime_client import ApplicationClient, action


class EngraverClient(ApplicationClient):
    """Engraves."""

    version = engraver_api.version

    @action
    def load(self, plate: str, depth: float = 1.0) -> None:
        """Open a plate."""
        if not os.path.exists(plate):
            raise FileNotFoundError(plate)
        self.plate = engraver_api.load(plate, depth)

    @action(name="engrave")
    def do_engrave(self, frame: int, output: str) -> None:
        """Engrave one frame."""
        self.plate.engrave(frame, self.map_path(output))


EngraverClient.run()
