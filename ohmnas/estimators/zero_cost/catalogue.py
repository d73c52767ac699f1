"""The zero-cost proxies by name. Does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task
    from ohmnas.estimators.zero_cost.measure import Proxy
    from ohmnas.estimators.zero_cost.proxies import ZeroCost


@dataclass(frozen=True, slots=True)
class Entry:
    """Location and title of a proxy."""

    location: str
    """``module:class`` in this package."""
    title: str
    """One-line title."""
    needs_chip: bool = False
    """True if the proxy is defined only on a chip."""

    def load(self) -> Proxy:
        """Import the proxy."""
        module, _, name = self.location.partition(":")
        made: Proxy = getattr(import_module(f"{__package__}.{module}"), name)()
        return made


PROXIES: Final[Mapping[str, Entry]] = {
    "params": Entry("parameters:Parameters", "number of parameters"),
    "macs": Entry("macs:Macs", "multiply-accumulates per image"),
    "naswot": Entry("naswot:Naswot", "different activation patterns (Mellor et al., 2021)"),
    "jacov": Entry("jacov:JacobianCovariance", "uncorrelated Jacobians (Mellor et al., 2021)"),
    "epe_nas": Entry("epe_nas:EpeNas", "Jacobians correlated within classes (Lopes et al., 2021)"),
    "synflow": Entry("synflow:SynFlow", "flow through absolute weights (Tanaka et al., 2020)"),
    "snip": Entry("snip:Snip", "saliency of weights (Lee et al., 2019)"),
    "grad_norm": Entry("grad_norm:GradientNorm", "norm of the gradient (Abdelfattah et al., 2021)"),
    "fisher": Entry("fisher:Fisher", "saliency of channels (Turner et al., 2020)"),
    "grasp": Entry("grasp:Grasp", "gradient flow after pruning (Wang et al., 2020)"),
    "zen": Entry("zen:Zen", "expressivity of the features (Lin et al., 2021)"),
    "gradsign": Entry("gradsign:GradSign", "agreement of gradient signs (Zhang and Jia, 2022)"),
    "zico": Entry("zico:ZiCo", "constancy of gradients (Li et al., 2023)"),
    "az_nas": Entry("az_nas:AzNas", "ranks of four measures (Lee and Ham, 2024)"),
    "deviation": Entry("deviation:Deviation", "signal-to-noise ratio of the outputs on a chip", needs_chip=True),
}
"""Name -> proxy. Larger values stand for higher accuracy."""


def of_task(name: str, task: Task, seed: int = 0) -> ZeroCost:
    """Return one proxy as an estimator, on training images of a task; needs torch.

    Raises:
        UnknownNameError: the proxy is unknown.
        MissingDependencyError: torch is not installed.
    """
    from ohmnas.errors import MissingDependencyError
    from ohmnas.estimators.zero_cost.proxies import ZeroCost

    try:
        return ZeroCost.of(task, (name,), seed)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("ohmnas"):
            raise
        raise MissingDependencyError.of(f"the proxy {name} needs torch", "train", error) from error


def maker(name: str) -> partial[ZeroCost]:
    """Return the function in `ESTIMATORS` that makes one proxy."""
    return partial(of_task, name)
