"""The command of an adaptor whose description the variable DESCRIBED names."""
