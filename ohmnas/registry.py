"""Registries: named objects, each imported on first use. Installed packages can add entries.

Names and summaries are available without importing the objects. Entry points of installed packages
(``[project.entry-points."ohmnas.strategies"]``) are read only if a name is neither built in nor registered, or if all
names are listed, because reading them takes tens of milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar, overload

from ohmnas.errors import InvalidValueError, PluginError, in_short, shown
from ohmnas.lookup import check_plain_name, name_fault, unknown_name

T = TypeVar("T")
U = TypeVar("U")

LONGEST_REASON = 200
"""Largest number of characters of a plugin's own error in a message."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A name, and how to get its object."""

    name: str
    load: Callable[[], T]
    """Imports the module and returns the object."""
    summary: str = ""
    """Summary for help texts, one line."""
    package: str = ""
    """Package that adds the entry; empty for built-in and registered entries."""


class Registry(Mapping[str, T]):
    """Name -> object: built-in entries, then registered entries, then entries of plugins.

    Other packages cannot replace a built-in name. `faults` lists entries that were ignored.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        entries: Mapping[str, str | tuple[str | Callable[[], T], str] | Callable[[], T]],
        fault: Callable[[str, object], str] = lambda _name, _thing: "",
    ) -> None:
        """Create a registry of built-in entries.

        Args:
            kind: singular noun for messages, such as ``strategy``.
            group: entry point group, such as ``ohmnas.strategies``.
            entries: name -> ``"module:attribute"``, a function that returns the object, or a tuple of either and a
                one-line summary.
            fault: called with the name and the object of an entry that is not built in; returns why the object is
                invalid, or an empty string.
        """
        self.kind = kind
        self.group = group
        self._fault = fault
        self._own: dict[str, Entry[T]] = {name: _entry(name, what) for name, what in entries.items()}
        self._registered: dict[str, Entry[T]] = {}
        self._plugins: dict[str, Entry[T]] | None = None
        self._faults: list[str] = []
        self._loaded: dict[str, T] = {}

    @property
    def own(self) -> tuple[str, ...]:
        """Names of the built-in entries, in order; plugins are not loaded."""
        return tuple(self._own)

    @property
    def faults(self) -> tuple[str, ...]:
        """Messages about ignored entry points, for example those with a built-in name."""
        self._scanned()
        return tuple(self._faults)

    def check(self, name: str) -> None:
        """Check that a name is known, without importing its object.

        Raises:
            UnknownNameError: the name is unknown; the message lists the known names.
        """
        self._entry(name)

    def summary(self, name: str) -> str:
        """Return the summary of an entry; empty if it has none.

        Raises:
            UnknownNameError: the name is unknown.
        """
        return self._entry(name).summary

    def package(self, name: str) -> str:
        """Return the package that adds an entry; empty for built-in and registered entries.

        Raises:
            UnknownNameError: the name is unknown.
        """
        return self._entry(name).package

    def __getitem__(self, name: str) -> T:
        """Return the object with this name, importing it on first use.

        Raises:
            UnknownNameError: the name is unknown; the message lists the known names.
            PluginError: the plugin cannot be imported, or its object is invalid.
            InvalidValueError: the object of a registered ``"module:attribute"`` is invalid.
            ImportError: the module of a registered ``"module:attribute"`` cannot be imported.
        """
        if name not in self._loaded:
            entry = self._entry(name)
            thing = self._from_package(entry) if entry.package else entry.load()
            if name in self._registered and (why := self._fault(name, thing)):
                raise InvalidValueError(f"{shown(thing)} cannot be the {self.kind} {name!r}: {why}")
            self._loaded[name] = thing
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._registered or name in self._scanned()

    def __iter__(self) -> Iterator[str]:
        return iter([*self._own, *self._registered, *(n for n in self._scanned() if n not in self._registered)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def register(self, name: str, thing: str, summary: str = ...) -> str: ...
    @overload
    def register(self, name: str, thing: U, summary: str = ...) -> U: ...
    @overload
    def register(self, name: str, thing: None = ..., summary: str = ...) -> Callable[[U], U]: ...
    def register(self, name: str, thing: object = None, summary: str = "") -> object:
        """Add an entry in this process, for notebooks and tests. Worker processes of a campaign do not have it.

        Args:
            name: a plain name (`lookup.name_fault`) that is neither built in nor registered. The entry takes precedence
                over a plugin's entry with the same name.
            thing: the object, or ``"module:attribute"``. Without it, ``register(name)`` is a decorator.
            summary: one line for help texts.

        Returns:
            `thing`, or the decorator.

        Raises:
            InvalidValueError: the name is invalid or taken, or the object is invalid. ``"module:attribute"`` is checked
                on first use.
        """
        if thing is None:

            def decorate(decorated: U) -> U:
                self.register(name, decorated, summary)
                return decorated

            return decorate
        check_plain_name(self.kind, name)
        if name in self._own or name in self._registered:
            raise InvalidValueError(f"the {self.kind} {name!r} already exists; register another name")
        if not isinstance(thing, str) and (why := self._fault(name, thing)):
            raise InvalidValueError(f"{shown(thing)} cannot be the {self.kind} {name!r}: {why}")
        self._loaded.pop(name, None)  # forget a plugin's object: the registered entry takes precedence
        self._registered[name] = _entry(name, thing if isinstance(thing, str) else lambda: thing, summary)
        return thing

    def unregister(self, name: str) -> None:
        """Remove an entry added by `register`; other names are ignored."""
        if self._registered.pop(name, None) is not None:
            self._loaded.pop(name, None)

    @contextmanager
    def registered(self, name: str, thing: object) -> Iterator[None]:
        """Add an entry for the duration of a ``with`` block."""
        self.register(name, thing)
        try:
            yield
        finally:
            self.unregister(name)

    def refresh(self) -> None:
        """Forget the entry points and read them again on next use, for example after installing a package."""
        for name in self._plugins or {}:
            self._loaded.pop(name, None)
        self._plugins, self._faults = None, []

    def _entry(self, name: str) -> Entry[T]:
        entry = self._own.get(name) or self._registered.get(name) or self._scanned().get(name)
        if entry is None:
            error = unknown_name(self.kind, self, name)
            left_out = "".join(f"; left out: {why}" for why in self._faults)
            raise type(error)(f"{error}{left_out}")
        return entry

    def _scanned(self) -> dict[str, Entry[T]]:
        """Entries of plugins, by name."""
        if self._plugins is None:
            from importlib.metadata import entry_points

            found: dict[str, Entry[T]] = {}
            for point in entry_points(group=self.group):
                package = point.dist.name if point.dist is not None else point.value
                offered = f"the {self.kind} {shown(point.name)} of the package {package}"
                if point.name in self._own:
                    self._faults.append(f"{offered}, because ohmnas has a built-in {self.kind} with this name")
                elif why := name_fault(point.name):
                    self._faults.append(f"{offered}, because {why}")
                elif point.name in found and found[point.name].package != package:
                    other = found[point.name].package
                    self._faults.append(f"{offered}, because the package {other} adds one with this name")
                else:
                    found[point.name] = Entry(point.name, point.load, "", package)
            self._plugins = found
        return self._plugins

    def _from_package(self, entry: Entry[T]) -> T:
        """Return the object of a plugin.

        Raises:
            PluginError: the import fails, or the object is invalid.
        """
        offered = f"the {self.kind} {entry.name!r} of the package {entry.package} cannot be used"
        try:
            thing = entry.load()
        except Exception as error:
            why = in_short(f"{type(error).__name__}: {error}", LONGEST_REASON)
            raise PluginError(f"{offered}: importing it failed with {why}") from error
        if why := self._fault(entry.name, thing):
            raise PluginError(f"{offered}: {why}")
        return thing


def _entry(name: str, what: object, summary: str = "") -> Entry[T]:
    """Create an entry from ``"module:attribute"``, a function that returns the object, or either with a summary."""
    if isinstance(what, tuple):
        what, summary = what
    if callable(what):
        return Entry(name, what, summary)
    module, _, attribute = str(what).partition(":")
    return Entry(name, lambda: getattr(import_module(module), attribute), summary)


def registries() -> dict[str, Registry[object]]:
    """Entry point group -> registry, for all kinds of plugins."""
    found: dict[str, Registry[object]] = {}
    for location in REGISTRIES:
        module, _, attribute = location.partition(":")
        registry = getattr(import_module(module), attribute)
        found[registry.group] = registry
    return found


REGISTRIES = (
    "ohmnas.search.strategies:STRATEGIES",
    "ohmnas.search.objectives:OBJECTIVES",
    "ohmnas.datasets.tasks.catalogue:TASKS",
    "ohmnas.hardware.technologies:TECHNOLOGIES",
    "ohmnas.hardware.presets:PRESETS",
    "ohmnas.spaces.catalogue:SPACES",
    "ohmnas.estimators.catalogue:ESTIMATORS",
    "ohmnas.export.catalogue:EXPORTERS",
)
"""Locations of the registries, as ``"module:attribute"``."""
