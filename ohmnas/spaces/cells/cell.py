"""`Cell`: readable, frozen view of a NAS-Bench-201 cell, with its published string format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ohmnas.errors import InvalidValueError, shown
from ohmnas.lookup import suggestion

OPERATIONS: Final = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""Operations in the order of NAS-Bench-201; the value of a gene is an index into this tuple."""
EDGES: Final = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Edges (from node, to node) in the order of the published string. Node 0 is the input, node 3 the output."""
NODES: Final = 4
_LONGEST: Final = 200
_TARGETS: Final = range(1, NODES)


@dataclass(frozen=True, slots=True)
class Cell:
    """Six operations, one on each edge between four nodes. A node sums the outputs of its incoming edges."""

    operations: tuple[str, str, str, str, str, str]
    """For each edge of `EDGES`, one of `OPERATIONS`."""

    def __post_init__(self) -> None:
        """Check the operations.

        Raises:
            InvalidValueError: there are not six operations, or an operation is unknown.
        """
        if not isinstance(self.operations, tuple) or len(self.operations) != len(EDGES):
            raise InvalidValueError(f"a cell must have {len(EDGES)} operations, not {shown(self.operations)}")
        for operation in self.operations:
            if operation not in OPERATIONS:
                hint = suggestion(OPERATIONS, operation) if isinstance(operation, str) else ""
                known = ", ".join(OPERATIONS)
                raise InvalidValueError(f"unknown operation {shown(operation)}: choose {known}{hint}")

    def __str__(self) -> str:
        """Return the published string: ``|nor_conv_3x3~0|+|skip_connect~0|none~1|+|...|``."""
        nodes = []
        for target in _TARGETS:
            edges = [
                f"{operation}~{source}"
                for (source, end), operation in zip(EDGES, self.operations, strict=True)
                if end == target
            ]
            nodes.append(f"|{'|'.join(edges)}|")
        return "+".join(nodes)

    @classmethod
    def from_str(cls, text: str) -> Cell:
        """Parse the published string.

        Raises:
            InvalidValueError: the text is not a cell.
        """
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise InvalidValueError(f"this is not a NAS-Bench-201 cell: {shown(text)}")
        found: dict[tuple[int, int], str] = {}
        edges: list[tuple[int, int]] = []
        nodes = text.strip().split("+")
        for target, node in zip(_TARGETS, nodes, strict=False):
            for edge in node.strip("|").split("|"):
                match = re.fullmatch(r"(\w+)~(\d)", edge)
                if match is None:
                    raise InvalidValueError(
                        f"this is not a NAS-Bench-201 cell: {shown(text)}; {shown(edge)} is not an edge"
                    )
                edges.append((int(match[2]), target))
                found[edges[-1]] = match[1]
        if len(nodes) != len(_TARGETS) or sorted(edges) != sorted(EDGES):
            raise InvalidValueError(
                f"a NAS-Bench-201 cell must have the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3: {shown(text)} does not"
            )
        a, b, c, d, e, f = (found[edge] for edge in EDGES)
        return cls((a, b, c, d, e, f))

    @classmethod
    def from_codes(cls, codes: Sequence[int]) -> Cell:
        """Return the cell for six indices into `OPERATIONS`, in the order of `EDGES`.

        Raises:
            InvalidValueError: there are not six indices, or an index is out of range.
        """
        if len(codes) != len(EDGES) or not all(0 <= code < len(OPERATIONS) for code in codes):
            raise InvalidValueError(
                f"a cell must have {len(EDGES)} operation codes from 0 to {len(OPERATIONS) - 1}, not {shown(codes)}"
            )
        a, b, c, d, e, f = (OPERATIONS[code] for code in codes)
        return cls((a, b, c, d, e, f))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; the inverse of `from_dict`."""
        return {"cell": str(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Cell:
        """Build from the values of `to_dict`.

        Raises:
            InvalidValueError: the values are not a cell.
        """
        if not isinstance(values, dict) or set(values) != {"cell"}:
            raise InvalidValueError(f"this is not a NAS-Bench-201 cell: {shown(values)}")
        return cls.from_str(values["cell"])


REFERENCES: Final[dict[str, Cell]] = {
    "cells-resnet": Cell.from_str(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    ),
    "cells-basic-block": Cell.from_str(
        "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    ),
    "cells-conv3x3": Cell(("nor_conv_3x3",) * 6),
    "cells-conv1x1": Cell(("nor_conv_1x1",) * 6),
    "cells-bottleneck": Cell.from_str(
        "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    ),
}
"""Name -> cell. The authors of NAS-Bench-201 call the first one ResNet: it has 3x3 convolutions on all edges except the
skip. The second is the basic block of He et al. (2016). The last has the layers of their bottleneck, at full width."""
