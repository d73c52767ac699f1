"""Export to PyTorch: one readable file of plain modules, and its weights. The file needs only torch and safetensors."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.export.catalogue import TOLERANCE, Exported
from ohmnas.export.source import Source, convolution_arguments, in_docstring, linear_arguments
from ohmnas.files import write_atomically, write_bytes_atomically

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ohmnas.analog.layers import AnalogLayer
    from ohmnas.datasets.campaign.trained import TrainedNetwork

CODE: Final = "network.py"
WEIGHTS: Final = "weights.safetensors"
_CHECKED: Final = 8
"""Number of random images on which outputs are compared."""

_SATURATING: Final = {
    "SaturatingConv2d": '''
class SaturatingConv2d(nn.Conv2d):
    """A convolution whose inputs and outputs saturate at fixed limits. They are the limits of a chip's converters,
    with which the network was trained."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.register_buffer("input_limit", torch.ones(()))
        self.register_buffer("output_limit", torch.ones(self.out_channels, 1, 1))

    def forward(self, x):
        y = super().forward(x.clamp(-self.input_limit, self.input_limit))
        return y.clamp(-self.output_limit, self.output_limit)
''',
    "SaturatingLinear": '''
class SaturatingLinear(nn.Linear):
    """A linear layer whose inputs and products saturate at a chip's converter limits; then the bias is added."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.register_buffer("input_limit", torch.ones(()))
        self.register_buffer("output_limit", torch.ones(self.out_features))

    def forward(self, x):
        y = functional.linear(x.clamp(-self.input_limit, self.input_limit), self.weight)
        y = y.clamp(-self.output_limit, self.output_limit)
        return y if self.bias is None else y + self.bias
''',
    "TiledConv2d": '''
class TiledConv2d(nn.Conv2d):
    """A convolution whose weights are spread over several tiles of a chip: a sum of parts. Each part has the weights
    between two consecutive `starts`, indices into the flattened weights of one output, and its own output limits."""

    def __init__(self, *arguments, starts, **settings):
        super().__init__(*arguments, **settings)
        self.starts = starts
        self.register_buffer("input_limit", torch.ones(()))
        self.register_buffer("output_limit", torch.ones(len(starts) - 1, self.out_channels, 1, 1))

    def forward(self, x):
        x = x.clamp(-self.input_limit, self.input_limit)
        weight = self.weight.flatten(1)
        place = torch.arange(weight.shape[1], device=weight.device)
        total = 0
        for part, limit in enumerate(self.output_limit):
            inside = (place >= self.starts[part]) & (place < self.starts[part + 1])
            one = (weight * inside).view_as(self.weight)
            y = functional.conv2d(x, one, None, self.stride, self.padding, self.dilation, self.groups)
            total = total + y.clamp(-limit, limit)
        return total
''',
    "TiledLinear": '''
class TiledLinear(nn.Linear):
    """A linear layer whose weights are spread over several tiles of a chip: a sum of limited parts, plus the bias."""

    def __init__(self, *arguments, starts, **settings):
        super().__init__(*arguments, **settings)
        self.starts = starts
        self.register_buffer("input_limit", torch.ones(()))
        self.register_buffer("output_limit", torch.ones(len(starts) - 1, self.out_features))

    def forward(self, x):
        x = x.clamp(-self.input_limit, self.input_limit)
        total = 0 if self.bias is None else self.bias
        for part, limit in enumerate(self.output_limit):
            inputs = slice(self.starts[part], self.starts[part + 1])
            y = functional.linear(x[..., inputs], self.weight[:, inputs])
            total = total + y.clamp(-limit, limit)
        return total
''',
}

_FILE: Final = '''"""{title}

{about}

    from network import load

    network = load("weights.safetensors")  # from this folder
    logits = network(images)  # (batch, {shape}) float32, raw pixels as stored in the task's files -> (batch, {outputs})

Needs torch and safetensors. The network was trained with ohmnas {version}.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn{functional}

{classes}

class Network(nn.Module):
    """The whole network: it normalises the images itself."""

    def __init__(self):
        super().__init__()
        self.register_buffer("image_mean", torch.tensor({mean}).view(-1, 1, 1))
        self.register_buffer("image_std", torch.tensor({std}).view(-1, 1, 1))
        self.layers = {layers}

    def forward(self, images):
        return self.layers((images - self.image_mean) / self.image_std)


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The trained network, in evaluation mode."""
    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
'''


@dataclass(frozen=True)
class Limits:
    """Input and output values at which the converters of an analog layer saturate."""

    input_limit: Tensor
    """A scalar; infinite for an ideal DAC."""
    output_limit: Tensor
    """``(p, o)``: a limit for each part of the inputs and each output; infinite for an ideal ADC."""
    starts: tuple[int, ...]
    """First input of each part, and the number of inputs."""

    @property
    def name(self) -> str:
        """Prefix of the exported class's name: a layer on several tiles is a sum of parts."""
        return "Saturating" if len(self.starts) == 2 else "Tiled"

    @classmethod
    def of(cls, layer: AnalogLayer) -> Limits | None:
        """Return the limits of a trained layer; None if both converters are ideal."""
        import torch

        chip = layer.chip
        if not chip.dac_bits and not chip.adc_bits:
            return None
        reach = layer.input_range.detach()
        scale = layer.mapping.column_scale(layer.weight).T.contiguous()
        bound = chip.adc_bound * reach * scale if chip.adc_bits else torch.full_like(scale, torch.inf)
        starts = tuple(int(start) for start in layer.mapping.starts)
        return cls(reach if chip.dac_bits else torch.full_like(reach, torch.inf), bound, starts)


def export_torch(trained: TrainedNetwork, folder: Path) -> Exported:
    """Write the files `CODE` and `WEIGHTS`, and compare the outputs of the exported and the trained network.

    Raises:
        InvalidValueError: a module cannot be written as plain code, or outputs differ by more than `TOLERANCE`.
    """
    network, difference = plain_network(trained, folder)
    del network
    return Exported(difference, "cd {out} && python -c 'from network import load; print(load())'")


def plain_network(trained: TrainedNetwork, folder: Path) -> tuple[nn.Module, float]:
    """Write code and weights; return the loaded network, and its difference from the trained network (`compared`).

    Raises:
        InvalidValueError: as in `export_torch`.
    """
    import safetensors.torch
    import torch

    from ohmnas.analog.convert import analog_layers, to_digital

    ours = trained.digital()
    limits = {layer.path: found for layer in analog_layers(ours) if (found := Limits.of(layer)) is not None}
    digital = to_digital(ours)
    write_atomically(folder / CODE, _code(trained, digital, limits))
    network: nn.Module = imported(folder / CODE).Network()
    state = {f"layers.{name}": tensor for name, tensor in digital.state_dict().items()}
    for path, one in limits.items():
        state[f"layers.{path}.input_limit"] = one.input_limit
        state[f"layers.{path}.output_limit"] = one.output_limit
    own = network.state_dict()
    state |= {name: own[name] for name in ("image_mean", "image_std")}
    network.load_state_dict({name: tensor.reshape(own[name].shape) for name, tensor in state.items()})
    weights = {name: tensor.contiguous().clone() for name, tensor in network.state_dict().items()}
    write_bytes_atomically(folder / WEIGHTS, safetensors.torch.save(weights))
    loaded: nn.Module = imported(folder / CODE).load(folder / WEIGHTS)
    difference = compared(trained, loaded.double(), torch.float64)  # a deep network may amplify float32's rounding
    return loaded.float(), difference


def compared(trained: TrainedNetwork, theirs: Any, precision: torch.dtype) -> float:
    """Return the largest difference between the outputs, divided by the largest output, but by at least 1.

    Args:
        trained: the trained network.
        theirs: the exported network; it expects raw pixels, as stored in the task's files.
        precision: number format of images and outputs.

    Raises:
        InvalidValueError: the difference is above `TOLERANCE`.
    """
    import torch

    images = random_images(trained).to(precision)
    mean, std = (torch.tensor(values, dtype=torch.float32).view(-1, 1, 1) for values in (trained.mean, trained.std))
    with torch.no_grad():
        wanted = trained.digital().to(precision)((images - mean) / std)
        found = torch.as_tensor(theirs(images))
    difference = float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1.0))
    if not difference <= TOLERANCE:
        raise InvalidValueError(
            f"the outputs of the exported network differ by {difference:.2g} from those of the trained "
            f"network; the limit is {TOLERANCE:g}"
        )
    return difference


def random_images(trained: TrainedNetwork) -> Tensor:
    """``(m, channels, height, width)`` float32: noise with the mean and standard deviation of the training images."""
    import torch

    noise = torch.randn(_CHECKED, *trained.image_shape, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (trained.mean, trained.std))
    return noise * std + mean


def imported(path: Path) -> ModuleType:
    """Import a file without adding it to `sys.modules` and without writing bytecode."""
    spec = importlib.util.spec_from_file_location("ohmnas_exported_network", path)
    if spec is None or spec.loader is None:
        raise InvalidValueError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def _code(trained: TrainedNetwork, digital: nn.Module, limits: dict[str, Limits]) -> str:
    """Return the code of a network of plain torch layers. Layers with limits become saturating or tiled classes."""
    from torch import nn

    source = Source()

    def dialect(path: str, module: nn.Module) -> str | None:
        if path not in limits:
            return None
        one = limits[path]
        name = one.name + type(module).__name__
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            raise InvalidValueError(
                f"{path} is a convolution whose bias is added after saturation, which this export does not support"
            )
        source.classes.setdefault(name, _SATURATING[name])
        arguments = convolution_arguments(module) if isinstance(module, nn.Conv2d) else linear_arguments(module)
        return f"{name}({arguments}{'' if one.name == 'Saturating' else f', starts={one.starts}'})"

    source.dialect = dialect
    layers = source.expression(digital)
    classes = "\n".join(source.classes.values())
    return _FILE.format(
        title=in_docstring(title(trained)),
        about=in_docstring(about(trained)),
        shape=", ".join(map(str, trained.image_shape)),
        classes=classes.rstrip("\n") + "\n" if classes else "",
        outputs=trained.space.classes,
        version=in_docstring(trained.provenance["versions"]["ohmnas"]),
        functional="\nfrom torch.nn import functional" if "functional." in classes else "",
        mean=list(trained.mean),
        std=list(trained.std),
        layers=layers,
    )


def title(trained: TrainedNetwork) -> str:
    """One line: name, task and chip."""
    return f"{trained.name}: a network for the task {trained.task}, trained for the chip {trained.chip.name}."


def about(trained: TrainedNetwork) -> str:
    """Architecture, parameters, and the measured accuracies if there are any."""
    lines = [f"Architecture: {trained.architecture}", f"Parameters: {trained.params:,}"]
    measured, split = trained.provenance.get("measured", {}), trained.split.capitalize()
    if "accuracy_digital" in measured:
        lines.append(f"{split} accuracy without a chip: {100 * measured['accuracy_digital']:.2f} %")
    if "accuracy_1d" in measured:
        lines.append(f"{split} accuracy on the chip, one day after programming: {100 * measured['accuracy_1d']:.2f} %")
    return "\n".join(lines)
