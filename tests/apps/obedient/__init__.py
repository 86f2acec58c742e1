"""An adaptor that does what its data say; its entry point knows it by name."""
