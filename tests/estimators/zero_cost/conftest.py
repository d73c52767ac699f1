"""Networks that are small enough to be computed by hand, and the contract of a proxy."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("aihwkit")

from torch import Tensor, nn  # noqa: E402

from ohmnas.datasets.tasks.task import task  # noqa: E402
from ohmnas.estimators.zero_cost import Batch, ZeroCost  # noqa: E402
from ohmnas.search.estimator import Estimator  # noqa: E402
from ohmnas.testing import EstimatorContract  # noqa: E402
from ohmnas.testing.formula import SPACE  # noqa: E402


class ProxyContract(EstimatorContract):
    """The contract of an estimator, for one proxy on tiny networks."""

    rows = 3
    max_params = 2_000
    name: ClassVar[str]

    def make(self, seed: int) -> Estimator:
        return ZeroCost(SPACE, (self.name,), Batch.of(task("digits"), 24), seed)


def linear() -> tuple[Any, Tensor, Tensor]:
    """A linear classifier of two pixels with two classes, and three images."""
    network: Any = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[0.5, -1.0], [0.25, 2.0]]))
    images = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 1.0]]).view(3, 1, 1, 2)
    return network, images, torch.tensor([0, 1, 1])


def softmax_gradients() -> Tensor:
    """``(3, 2, 2)``: each image's gradient of the loss with respect to the weights of `linear`, in closed form."""
    network, images, labels = linear()
    pixels = images.view(3, 2)
    errors = torch.softmax(pixels @ network[1].weight.detach().T, dim=1) - torch.eye(2)[labels]
    products: Tensor = errors[:, :, None] * pixels[:, None, :]
    return products


def convolutional() -> tuple[Any, Tensor, Tensor]:
    """Two convolutions with batch norm, a ReLU that overwrites its input, a pooling and a linear layer."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )
    return network, torch.randn(6, 1, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2])
