"""Search space of NAS-Bench-201 cells (Dong and Yang, ICLR 2020). Only `network` imports torch."""

from ohmnas.spaces.cells.cell import OPERATIONS, Cell
from ohmnas.spaces.cells.space import CellSpace

__all__ = ["OPERATIONS", "Cell", "CellSpace"]
