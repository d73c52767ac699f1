from __future__ import annotations

from ohmnas.report.command import values_of


def test_values_are_as_the_user_wrote_them() -> None:
    command = ("search", "--max-params", "50k", "--soft", "macs=1M", "--max-avm=0.02", "--soft", "params=2k")
    assert values_of(command, "--max-params") == ["50k"]
    assert values_of(command, "--max-avm") == ["0.02"]
    assert values_of(command, "--soft") == ["macs=1M", "params=2k"]
    assert values_of(command, "--max-macs") == []
    assert values_of((), "--max-params") == []
    assert values_of(("search", "--max-params=10k", "--max-params", "50k"), "--max-params") == ["10k", "50k"]
