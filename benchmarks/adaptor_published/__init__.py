"""An adaptor by class that imports at its top what the published adaptors import there."""
