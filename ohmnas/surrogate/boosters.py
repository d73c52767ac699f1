"""XGBoost's models, asked often for a few rows.

`Booster.inplace_predict` finds out anew in each call what kind of table it was given; for a hundred rows that takes as
long as half of all trees. So `predict` calls what it calls: XGBoost's C interface, which is documented and stable.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from xgboost.libpath import find_lib_path

Single = npt.NDArray[np.float32]

_HOW = json.dumps(
    {
        "type": 0,  # values, not leaves
        "training": False,
        "iteration_begin": 0,
        "iteration_end": 0,  # all trees
        "missing": float("nan"),
        "strict_shape": True,
        "cache_id": 0,
    }
).encode()


def predict(booster: xgb.Booster, rows: Single) -> Single:
    """``(n, f)`` -> ``(n, k)``: what `inplace_predict` says of k outputs. Several threads may ask at a time.

    Raises:
        XGBoostError: the model has other features.
    """
    if not len(rows):  # of which XGBoost does not say how many values they would have
        model = json.loads(booster.save_config())["learner"]["learner_model_param"]
        return np.empty((0, int(model["num_target"])), dtype=np.float32)
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    table = {"data": (rows.ctypes.data, True), "shape": rows.shape, "typestr": "<f4", "version": 3}
    shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    values = ctypes.POINTER(ctypes.c_float)()
    status = _library().XGBoosterPredictFromDense(
        booster.handle,
        json.dumps(table).encode(),
        _HOW,
        None,
        ctypes.byref(shape),
        ctypes.byref(dimensions),
        ctypes.byref(values),
    )
    if status:
        raise xgb.core.XGBoostError(_library().XGBGetLastError().decode())
    # XGBoost writes its next answer to the same place.
    return np.ctypeslib.as_array(values, tuple(shape[: dimensions.value])).copy()


@cache
def _library() -> Any:
    """The library that XGBoost itself has loaded."""
    library = ctypes.CDLL(find_lib_path()[0])
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library


def joined(boosters: Iterable[xgb.Booster]) -> xgb.Booster:
    """One model whose k outputs are what k regressors of the same features say: one call instead of k."""
    models = [json.loads(booster.save_raw("json")) for booster in boosters]
    trees = [model["learner"]["gradient_booster"]["model"]["trees"] for model in models]
    together = [{**tree, "id": number} for number, tree in enumerate(chain.from_iterable(trees))]
    first = models[0]["learner"]
    first["learner_model_param"] |= {"num_target": str(len(models)), "base_score": "0"}
    first["gradient_booster"]["model"] |= {
        "trees": together,
        "tree_info": [output for output, own in enumerate(trees) for _ in own],
        "iteration_indptr": [0, len(together)],
    }
    first["gradient_booster"]["model"]["gbtree_model_param"]["num_trees"] = str(len(together))
    booster = xgb.Booster()
    booster.load_model(bytearray(json.dumps(models[0]).encode()))
    booster.set_param({"nthread": 1})
    return booster
