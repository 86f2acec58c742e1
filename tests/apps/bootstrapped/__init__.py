"""An adaptor that wants to know when its daemon listens."""
