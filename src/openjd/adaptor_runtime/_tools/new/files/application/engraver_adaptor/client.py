"""Runs inside Engraver's Python, which needs nothing installed: does what the adaptor calls."""

import platform

from openjd.adaptor_runtime_client import ApplicationClient, action

# What is drawn until Engraver renders: a star.
STAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="-100 -100 200 200">
<polygon points="0,-90 53,73 -86,-28 86,-28 -53,73" fill="{}" transform="rotate({})"/>
</svg>
"""


class EngraverClient(ApplicationClient):
    """Each action can be called by the adaptor. What it returns, or raises, is the answer."""

    # EDIT: Engraver's version, such as bpy.app.version_string.
    version = platform.python_version()

    @action
    def load(self, scene: str) -> None:
        """Opens the scene, which stays open for all frames of the session."""
        # EDIT: such as bpy.ops.wm.open_mainfile(filepath=scene).
        with open(scene, encoding="utf-8") as file:
            self.colour = file.read().strip()

    @action
    def render(self, frame: int, output: str) -> None:
        """Renders one frame into the file `output`."""
        # EDIT: have Engraver render the frame, and report how far it is.
        with open(output, "w", encoding="utf-8") as file:
            file.write(STAR.format(self.colour, 6 * frame))
        self.progress(100)


EngraverClient.run()
