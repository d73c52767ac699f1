"""Neural architecture search for analog in-memory computing chips.

Start with `ohmnas.spaces` (what can be searched), `ohmnas.datasets.table` (measured rows), `ohmnas.surrogate`
(learns them) and `ohmnas.search` (finds an architecture). Only `ohmnas.analog` and `ohmnas.spaces.network` need torch.
"""

from importlib import metadata

__version__ = metadata.version("ohmnas")
