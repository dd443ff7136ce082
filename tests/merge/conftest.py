"""The running product, as the gateway's tests have it."""

from tests.gateway.conftest import product

__all__ = ["product"]
