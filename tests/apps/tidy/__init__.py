"""An adaptor that leaves checking and mapping its data to the runtime."""
