"""The client of Painter and RealPainter."""

import paintlib  # a module that there is inside the application alone

from openjd.adaptor_runtime_client import ApplicationClient, action


class PainterClient(ApplicationClient):
    version = paintlib.version

    @action
    def load(self, scene: str):
        paintlib.load(scene)

    @action
    def paint(self, frame: int, path: str):
        paintlib.paint(frame, path, self.progress)


PainterClient.run()
