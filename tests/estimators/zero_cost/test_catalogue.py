from __future__ import annotations

import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import MissingDependencyError
from ohmnas.estimators import ESTIMATORS
from ohmnas.estimators.zero_cost import PROXIES
from ohmnas.estimators.zero_cost import proxies as its_module
from ohmnas.estimators.zero_cost.catalogue import of_task

from . import (
    test_az_nas,
    test_epe_nas,
    test_fisher,
    test_grad_norm,
    test_gradsign,
    test_grasp,
    test_jacov,
    test_macs,
    test_naswot,
    test_parameters,
    test_snip,
    test_synflow,
    test_zen,
    test_zico,
)
from .conftest import ProxyContract


def test_every_proxy_has_the_name_of_its_target() -> None:
    assert {name: entry.load().target.name for name, entry in PROXIES.items()} == {name: name for name in PROXIES}


def test_every_proxy_that_needs_no_chip_is_an_estimator_with_a_contract() -> None:
    without_chip = [name for name, entry in PROXIES.items() if not entry.needs_chip]
    assert {*without_chip} < {*ESTIMATORS.own}
    modules = (
        *(test_fisher, test_grad_norm, test_grasp, test_jacov, test_macs, test_naswot, test_parameters, test_snip),
        *(test_az_nas, test_epe_nas, test_gradsign, test_synflow, test_zen, test_zico),
    )
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    assert {*without_chip} == {
        kind.name for kind in kinds if issubclass(kind, ProxyContract) and kind is not ProxyContract
    }


def test_a_proxy_without_torch_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(its_module.ZeroCost, "of", fail)
    with pytest.raises(MissingDependencyError, match="the proxy snip needs torch"):
        of_task("snip", task("digits"))
