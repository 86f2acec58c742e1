"""An adaptor whose entry point imports its class, as all that were written for 0.9."""
