from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from ohmnas.errors import InvalidValueError
from ohmnas.export.source import Source


class Halves(nn.Module):
    """Two paths; "quoted"."""

    def __init__(self) -> None:
        super().__init__()
        self.paths = nn.ModuleDict({"a": nn.ReLU(), "b": nn.AvgPool2d(3, 1, 1, count_include_pad=False)})
        self.more = nn.ModuleList([nn.Conv2d(2, 4, (3, 1), (2, 1), padding=(1, 0), dilation=2)])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.more[0](torch.cat([self.paths["a"](x), self.paths["b"](x)], dim=1)[:, :2])
        return nn.functional.relu(y).flatten(1).mean(1, keepdim=True) * 2


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


def test_modules_are_written_as_they_are() -> None:
    source = Source()
    layers = [
        nn.MaxPool2d(2, ceil_mode=True, dilation=2),
        nn.AvgPool2d(2, divisor_override=3),
        nn.BatchNorm2d(3, eps=1e-3, momentum=None, track_running_stats=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    text = source.expression(nn.Sequential(*layers), indent=0)
    assert text.splitlines()[1:-1] == [
        "    nn.MaxPool2d(2, stride=2, ceil_mode=True, dilation=2),",
        "    nn.AvgPool2d(2, stride=2, divisor_override=3),",
        "    nn.BatchNorm2d(3, eps=0.001, momentum=None, track_running_stats=False),",
        "    nn.AdaptiveAvgPool2d(1),",
        "    nn.Flatten(),",
    ]


def test_containers_keep_the_names_of_their_children() -> None:
    ours = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), empty=nn.Sequential(), more=nn.Sequential(nn.ReLU())))
    source = Source()
    text = source.expression(ours)
    names: dict[str, object] = {"nn": nn, "torch": torch}
    exec("\n".join(source.classes.values()), names)  # noqa: S102 - what was just written
    theirs = eval(text, names)  # noqa: S307 - what was just written
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 1, 5, 5)
    assert torch.equal(theirs(x), ours(x))


def test_a_module_with_its_own_forward_becomes_a_class_that_computes_the_same() -> None:
    ours = nn.Sequential(Halves(), Halves())
    source = Source()
    text = source.expression(ours[0])
    assert text == "Halves()"
    assert source.expression(ours[1]) == text  # equal modules share their class
    names: dict[str, object] = {"nn": nn, "torch": torch, "functional": nn.functional}
    exec(source.classes["Halves"], names)  # noqa: S102 - what was just written
    theirs = names["Halves"]()  # type: ignore[operator]
    theirs.load_state_dict(ours[0].state_dict())
    x = torch.randn(2, 2, 9, 9)
    assert torch.equal(theirs(x), ours[0](x))


def test_classes_never_share_a_name() -> None:
    def numbered(layer: nn.Module) -> nn.Module:
        class Stage2(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = layer

            def forward(self, x: Tensor) -> Tensor:
                y: Tensor = self.inner(x)
                return y

        return Stage2()

    class Network(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

    source = Source()
    texts = [source.expression(one) for one in (numbered(nn.ReLU()), numbered(nn.Identity()), Network())]
    assert texts == ["Stage2()", "Stage22()", "Network2()"]  # `Network` is the class of the whole network
    assert [*source.classes] == ["Stage2", "Stage22", "Network2"]
    assert "ReLU" in source.classes["Stage2"]


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Own(), "its own parameters"),
        (Branching(), "cannot be written as plain code"),
        (nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), "pads with 'circular'"),
    ],
)
def test_a_module_without_plain_code_is_one_sentence(module: nn.Module, sentence: str) -> None:
    with pytest.raises(InvalidValueError, match=sentence) as caught:
        Source().expression(nn.Sequential(module))
    assert str(caught.value)
