"""Device technologies, one module each. The `TECHNOLOGY` of a module is registered under the module's name.

To add a technology, add a file to this folder, or write a plugin with an entry point in the group
``ohmnas.technologies``. Chips of this technology then work in campaigns, training, search and verification.
"""

from __future__ import annotations

from pkgutil import iter_modules
from typing import Final

from ohmnas.hardware.technology import Technology
from ohmnas.registry import Registry

_FIRST: Final = ("pcm", "hermes", "reram")
"""Technologies that are listed first; all others follow, sorted by name."""
_FILES: Final = {module.name for module in iter_modules(__path__)}


def _fault(name: str, thing: object) -> str:
    if not isinstance(thing, Technology):
        return f"it is of type {type(thing).__name__}, not an ohmnas.hardware.Technology"
    return "" if thing.name == name else f"the name of the technology is {thing.name!r}"


TECHNOLOGIES: Final[Registry[Technology]] = Registry(
    "technology",
    "ohmnas.technologies",
    {name: f"{__name__}.{name}:TECHNOLOGY" for name in (*_FIRST, *sorted(_FILES - {*_FIRST}))},
    _fault,
)
"""Name -> `Technology`."""
