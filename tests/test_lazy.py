from __future__ import annotations

import subprocess
import sys

import pytest

from ohmnas.lazy import attach
from ohmnas.search import Limits


def test_a_name_is_imported_when_it_is_first_used() -> None:
    get, names = attach("ohmnas.lazy", {"Limits": "ohmnas.search.limits"})
    assert get("Limits") is Limits
    assert "Limits" in names()
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        get("Nothing")


@pytest.mark.parametrize("package", ["ohmnas.search", "ohmnas.search.strategies", "ohmnas.surrogate"])
def test_a_package_loads_no_numpy_and_all_its_names_exist(package: str) -> None:
    script = (
        f"import sys, {package} as package\n"
        "assert not {'numpy', 'pandas', 'torch'} & set(sys.modules)\n"
        "assert {*package.__all__} <= {*dir(package)}\n"
        "assert all(getattr(package, name) is not None for name in package.__all__)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
