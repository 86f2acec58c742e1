"""A module that fails when it is imported."""

print("these are its last words")
raise ImportError("the renderer's library is not installed")
