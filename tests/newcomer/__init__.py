"""What somebody who is new here does: ``openjd-adaptor new``, and what its packages are worth."""
