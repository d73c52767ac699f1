from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import OhmnasError
from ohmnas.search.result import read_result
from tests.search.test_result import full, plain

from .conftest import damaged, damaged_values

LEARNED = {
    "table_sha256": "0" * 64,
    "task": "digits",
    "hardware": "pcm",
    "fidelity": "table",
    "rows": 40,
    "seen": {"min_params": 1000, "max_params": 200_000, "max_macs": 2_000_000},
    "chip": {"technology": "pcm", "hw_g_max": 25.0},
}


@pytest.fixture(scope="module", params=["plain", "full"])
def values(request: pytest.FixtureRequest) -> dict[str, Any]:
    result = (plain if request.param == "plain" else full)()
    copy: dict[str, Any] = json.loads(json.dumps({**result.to_dict(), "surrogate": LEARNED}))
    copy["population"] = copy["population"][:5]
    return copy


@pytest.mark.timeout(120)
def test_a_damaged_result_is_read_or_refused(values: dict[str, Any], tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "result.json"
    for _ in range(300):
        path.write_text(json.dumps(damaged_values(values, rng)), encoding="utf-8")
        with suppress(OhmnasError):
            json.dumps(read_result(path).to_dict(), allow_nan=False)
    content = json.dumps(values).encode()
    for _ in range(100):
        path.write_bytes(damaged(content, rng))
        with suppress(OhmnasError):
            read_result(path)
