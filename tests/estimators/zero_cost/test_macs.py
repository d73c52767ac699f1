from __future__ import annotations

from .conftest import ProxyContract


class TestMacs(ProxyContract):
    name = "macs"
    draws_nothing = True
