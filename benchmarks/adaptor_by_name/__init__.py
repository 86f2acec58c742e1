"""An adaptor whose entry point is given its name, which 0.9 does not know."""
