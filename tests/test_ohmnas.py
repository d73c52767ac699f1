"""The names of the package itself."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

import ohmnas


def test_every_public_name_exists() -> None:
    assert {*ohmnas.__all__} <= {*dir(ohmnas)}
    assert all(getattr(ohmnas, name) is not None for name in ohmnas.__all__)
    assert ohmnas.__version__ == metadata.version("ohmnas")
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from ohmnas import nothing  # type: ignore[attr-defined]  # noqa: F401


@pytest.mark.parametrize("first", ["", "import ohmnas.search, ohmnas.hardware", "from ohmnas.cli import search"])
def test_callable_packages_work_after_any_order_of_imports(first: str) -> None:
    script = (
        f"{first}\n"
        "from inspect import signature\n"
        "from ohmnas import hardware, refine, search\n"
        "assert hardware('pcm').technology == 'pcm'\n"
        "assert [*signature(search).parameters][:3] == ['problem', 'strategy', 'seed']\n"
        "assert [*signature(refine).parameters][:3] == ['campaign', 'store', 'fit']\n"
        "import ohmnas.refine.run, ohmnas.search.run\n"
        "assert (ohmnas.search, ohmnas.refine) == (search, refine)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_the_package_loads_nothing_else() -> None:
    script = "import sys, ohmnas; print(*sorted(name for name in sys.modules if name.startswith('ohmnas.')))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["ohmnas.lazy"]


def test_without_torch_the_message_states_how_to_install_it() -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import ohmnas\n"
        "try: ohmnas.to_analog\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("ohmnas.to_analog needs torch (")
    assert done.stdout.endswith("install it with: pip install 'ohmnas[train]'\n")
