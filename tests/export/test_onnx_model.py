from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.export.onnx_model import MODEL, export_onnx

from .conftest import DIGITS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["branched", "cell"])
def test_onnxruntime_predicts_what_ours_predicts(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    trained: TrainedNetwork = request.getfixturevalue(kind)
    done = export_onnx(trained, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [MODEL]
    assert done.difference is not None
    session: Any = onnxruntime.InferenceSession(str(tmp_path / MODEL), providers=["CPUExecutionProvider"])
    images = DIGITS.load().test.images[:33].astype(np.float32)
    (found,) = session.run(None, {"images": images})
    with torch.no_grad():
        ours = trained.digital()(trained.prepare(images)).numpy()
    assert np.allclose(found, ours, rtol=1e-3, atol=1e-3 * np.abs(ours).max())
    model = onnx.load(str(tmp_path / MODEL))
    assert {prop.key: prop.value for prop in model.metadata_props}["task"] == "digits"
