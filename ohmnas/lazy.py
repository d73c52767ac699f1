"""Packages that import their names on first use (PEP 562), so importing a package is fast."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature


def attach(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    Args:
        package: ``__name__`` of the package.
        modules: public name -> module that provides it; an empty string if the name is a submodule of the package.
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = modules[name]
        value = getattr(import_module(module), name) if module else import_module(f"{package}.{name}")
        setattr(sys.modules[package], name, value)  # later lookups do not call this function
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return get, names


class _CallablePackage(ModuleType):
    """A package that can be called like its function of the same name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    @property
    def _function(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self, self.__name__.rpartition(".")[2])
        return function

    @property
    def __signature__(self) -> Signature:
        """Signature of the function, for editors and `help`."""
        from inspect import signature

        return signature(self._function)


def call_as_function(package: str) -> None:
    """Make a package callable like its function of the same name: ``ohmnas.search()`` is ``ohmnas.search.search()``.

    When a subpackage is imported, Python sets its name in the parent package. Depending on the order of imports, this
    would replace a function of the same name. A callable package can be used as both.
    """
    sys.modules[package].__class__ = _CallablePackage
