"""An adaptor whose daemon dies before it is ready."""
