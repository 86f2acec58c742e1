"""``python -m blender_adaptor``: how the daemon is started."""

from blender_adaptor import main

main()
