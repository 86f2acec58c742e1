"""An adaptor that runs applications and knows nothing of cancels."""
