"""The write side of `billing`: one function a use case, each in one transaction."""
