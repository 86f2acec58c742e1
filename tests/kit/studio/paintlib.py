"""What the application has of its own: paints pictures, and says so."""

import os

version = "4.2"


def load(scene):
    print("Loading", scene, flush=True)


def paint(frame, path, progress):
    print("Painting frame", frame, flush=True)
    if frame == 13:
        raise RuntimeError("no paint left")
    if frame == 66:
        print("about to die", flush=True)
        os._exit(3)
    progress(40)
    print("half of it", flush=True)
    progress(80)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(f"picture {frame}")
