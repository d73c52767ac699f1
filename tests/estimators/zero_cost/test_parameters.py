from __future__ import annotations

from .conftest import ProxyContract


class TestParameters(ProxyContract):
    name = "params"
    draws_nothing = True
