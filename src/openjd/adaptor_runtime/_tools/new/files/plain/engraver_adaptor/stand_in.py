"""Stands in for Engraver, so that the adaptor can be tried at once: it draws stars.

EDIT: delete this file and its command in pyproject.toml once Engraver is in its place.
"""

import argparse
from pathlib import Path

STAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="-100 -100 200 200">
<polygon points="0,-90 53,73 -86,-28 86,-28 -53,73" fill="{}" transform="rotate({})"/>
</svg>
"""


def main() -> None:
    """The command ``engraver-stand-in``."""
    parser = argparse.ArgumentParser(description="Draws a star, turned by the frame's number.")
    parser.add_argument("--scene", type=Path, required=True, help="a file with a colour's name")
    parser.add_argument("--frame", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    colour = options.scene.read_text(encoding="utf-8").strip()
    print("Progress: 50%")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(STAR.format(colour, 6 * options.frame), encoding="utf-8")
