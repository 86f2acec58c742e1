"""The version of this distribution; adaptors read ``version`` from here."""

version = "0.9.7"
