"""An adaptor with a name that few code pages have."""
