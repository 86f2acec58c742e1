"""An adaptor whose daemon hangs in an import and is deaf meanwhile."""
