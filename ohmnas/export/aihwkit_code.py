"""Export to aihwkit: a readable file with aihwkit's layers, the weights, and the chip's `InferenceRPUConfig` as JSON.

aihwkit saves its modules as pickles and does not support grouped convolutions. This export writes no pickle, and makes
each branch a convolution of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.export.catalogue import Exported
from ohmnas.export.plain_torch import CODE, WEIGHTS, about, imported, title
from ohmnas.export.source import Source, convolution_arguments, in_docstring, linear_arguments
from ohmnas.files import write_atomically, write_bytes_atomically
from ohmnas.hardware import TECHNOLOGIES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ohmnas.datasets.campaign.trained import TrainedNetwork

CONFIG: Final = "config.json"
_FIELDS: Final = (
    "mapping.digital_bias",
    "mapping.weight_scaling_omega",
    "mapping.weight_scaling_columnwise",
    "mapping.max_input_size",
    "mapping.max_output_size",
    "remap.type",
    "forward.inp_bound",
    "forward.inp_res",
    "forward.out_bound",
    "forward.out_res",
    "forward.out_noise",
    "forward.bound_management",
    "forward.noise_management",
    "pre_post.input_range.enable",
    "pre_post.input_range.learn_input_range",
    "modifier.type",
    "modifier.std_dev",
    "modifier.rel_to_actual_wmax",
    "clip.type",
    "clip.sigma",
)
"""Fields of aihwkit's configuration that a chip sets (`analog.rpu`)."""

_GROUPED: Final = '''
class Branches(nn.Module):
    """A grouped convolution as one analog convolution per branch."""

    def __init__(self, branches, in_channels, out_channels, kernel_size, **settings):
        super().__init__()
        self.parts = nn.ModuleList(
            AnalogConv2d(in_channels // branches, out_channels // branches, kernel_size, rpu_config=RPU, **settings)
            for _ in range(branches)
        )

    def forward(self, x):
        pieces = x.chunk(len(self.parts), dim=1)
        return torch.cat([part(piece) for part, piece in zip(self.parts, pieces)], dim=1)
'''

_ADAPTIVE: Final = '''

@torch.no_grad()
def average_batch_norm(network, images):
    """Average the batch norm statistics over training images, in batches of 128, on the chip as it is now.

    The measured accuracies include this step before each reading of the chip (adaptive batch norm).
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for batch in images.split(128):
        network(batch)
    network.eval()
'''

_FILE: Final = '''"""{title}

{about}

    from network import drift, load, program

    network = load()  # from this folder
    program(network)  # one chip: programming noise and drift coefficients
    drift(network, 86_400.0)  # one day later
    logits = network(images)  # (batch, {shape}) float32, raw pixels as stored in the task's files -> (batch, {outputs})

Needs torch, aihwkit and safetensors. The network was trained with ohmnas {version}; aihwkit {aihwkit} was installed.
"""

import json
from operator import attrgetter
from pathlib import Path

import torch
from aihwkit.inference import GlobalDriftCompensation
from aihwkit.nn import AnalogConv2d, AnalogLinear
from aihwkit.simulator.configs import InferenceRPUConfig
from aihwkit.simulator.parameters.enums import (
    BoundManagementType,
    NoiseManagementType,
    WeightClipType,
    WeightModifierType,
    WeightRemapType,
)
from safetensors.torch import load_file
from torch import nn{functional}

from {noise_module} import {noise_class}

FOLDER = Path(__file__).parent
ENUMS = {{
    "remap.type": WeightRemapType,
    "forward.bound_management": BoundManagementType,
    "forward.noise_management": NoiseManagementType,
    "modifier.type": WeightModifierType,
    "clip.type": WeightClipType,
}}


def rpu_config(path=FOLDER / "config.json"):
    """Read the chip's aihwkit configuration from a file."""
    values = json.loads(Path(path).read_text(encoding="utf-8"))
    config = InferenceRPUConfig()
    for name, value in values["rpu_config"].items():
        part, _, field = name.rpartition(".")
        setattr(attrgetter(part)(config), field, ENUMS[name][value] if name in ENUMS else value)
    config.noise_model = {noise_class}(**values["noise_model"])
    config.drift_compensation = GlobalDriftCompensation() if values["drift_compensation"] else None
    return config


RPU = rpu_config()

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


def load(weights=FOLDER / "weights.safetensors"):
    """The trained network with its input ranges, in evaluation mode; no chip is programmed yet."""
    tensors, network = load_file(weights), Network()
    for name, module in list(network.named_modules()):
        if f"{{name}}.input_range" not in tensors:
            continue
        parts = list(module.parts) if hasattr(module, "parts") else [module]
        pieces = tensors.pop(f"{{name}}.weight").chunk(len(parts))
        bias, input_range = tensors.pop(f"{{name}}.bias", None), float(tensors.pop(f"{{name}}.input_range"))
        for part, weight in zip(parts, pieces):
            part.set_weights(weight, bias)
            for tile in part.analog_tiles():
                tile.input_range.data.fill_(input_range)
    unknown = network.load_state_dict(tensors, strict=False).unexpected_keys
    if unknown:
        raise ValueError(f"the weights do not belong to this network: {{unknown}}")
    return network.eval()


def analog_layers(network):
    """All layers on tiles."""
    return [module for module in network.modules() if isinstance(module, (AnalogConv2d, AnalogLinear))]


def program(network):
    """Program a new chip with the trained weights."""
    for layer in analog_layers(network):
        layer.program_analog_weights()


def drift(network, seconds):
    """Set the weights to their values `seconds` after programming."""
    for layer in analog_layers(network):
        layer.drift_analog_weights(seconds)
{adaptive}'''


def export_aihwkit(trained: TrainedNetwork, folder: Path) -> Exported:
    """Write `plain_torch.CODE`, `plain_torch.WEIGHTS` and `CONFIG`, then load the files to check them.

    Raises:
        InvalidValueError: a module cannot be written as code, or the loaded files contain different weights or
            a different chip.
    """
    import safetensors.torch
    import torch

    from ohmnas.analog.convert import analog_layers, to_digital

    ours = trained.on_chip()
    digital = to_digital(ours)
    ranges = {layer.path: layer.input_range.detach() for layer in analog_layers(ours)}
    state = {f"layers.{name}": tensor for name, tensor in digital.state_dict().items()}
    state |= {f"layers.{path}.input_range": one for path, one in ranges.items()}
    state["image_mean"], state["image_std"] = (torch.tensor(one).view(-1, 1, 1) for one in (trained.mean, trained.std))
    weights = {name: tensor.detach().contiguous().clone() for name, tensor in state.items()}
    write_atomically(folder / CONFIG, json.dumps(config_of(trained), indent=1) + "\n")
    write_atomically(folder / CODE, _code(trained, digital, {*ranges}))
    write_bytes_atomically(folder / WEIGHTS, safetensors.torch.save(weights))
    _check(trained, imported(folder / CODE), digital, ranges)
    return Exported(use="cd {out} && python -c 'from network import load; print(load())'")


def config_of(trained: TrainedNetwork) -> dict[str, Any]:
    """Return the settings of the chip as JSON values, under the names of aihwkit's fields."""
    from ohmnas.analog.rpu import rpu_config

    chip = trained.chip
    config = rpu_config(chip)
    values = {name: attrgetter(name)(config) for name in _FIELDS}
    return {
        "chip": chip.name,
        "technology": chip.technology,
        "rpu_config": {name: getattr(value, "name", value) for name, value in values.items()},
        "noise_model": {
            "g_max": chip.g_max,
            "prog_noise_scale": chip.programming_noise,
            "read_noise_scale": chip.read_noise,
            "drift_scale": chip.drift,
        },
        "drift_compensation": chip.drift_compensation,
        "batch_norm": chip.batch_norm,
    }


def _code(trained: TrainedNetwork, digital: nn.Module, analog: set[str]) -> str:
    """Write the code of a network; layers at the paths in `analog` become aihwkit's layers."""
    from torch import nn

    source = Source()

    def dialect(path: str, module: nn.Module) -> str | None:
        if path not in analog:
            return None
        if not isinstance(module, nn.Conv2d):
            return f"AnalogLinear({linear_arguments(module)}, rpu_config=RPU)"
        arguments = convolution_arguments(module, groups=False)
        if module.groups == 1:
            return f"AnalogConv2d({arguments}, rpu_config=RPU)"
        if module.bias is not None:
            raise InvalidValueError(f"{path} is a grouped convolution with a bias, which cannot be exported to aihwkit")
        source.classes.setdefault("Branches", _GROUPED)
        return f"Branches({module.groups}, {arguments})"

    source.dialect = dialect
    layers = source.expression(digital)
    module, _, name = TECHNOLOGIES[trained.chip.technology].noise_model.partition(":")
    classes = "\n".join(source.classes.values())
    return _FILE.format(
        title=in_docstring(title(trained)),
        about=in_docstring(about(trained)),
        shape=", ".join(map(str, trained.image_shape)),
        outputs=trained.space.classes,
        classes=classes.rstrip("\n") + "\n" if classes else "",
        version=in_docstring(trained.provenance["versions"]["ohmnas"]),
        aihwkit=in_docstring(trained.provenance["versions"]["aihwkit"]),
        functional="\nfrom torch.nn import functional" if "functional." in classes else "",
        noise_module=module,
        noise_class=name,
        mean=list(trained.mean),
        std=list(trained.std),
        layers=layers,
        adaptive=_ADAPTIVE if trained.chip.batch_norm == "adaptive" else "",
    )


def _check(trained: TrainedNetwork, module: Any, digital: nn.Module, ranges: Mapping[str, Tensor]) -> None:
    """Check that the loaded files reproduce the chip, and the weights, biases and input ranges of its analog layers.

    Raises:
        InvalidValueError: the chip or the values of a layer differ.
    """
    import torch

    from ohmnas.analog.rpu import differences, rpu_config

    if changed := differences(module.rpu_config(), rpu_config(trained.chip)):
        raise InvalidValueError(f"the exported files describe a different chip: {'; '.join(changed)}")
    network = module.load()
    for path in sorted(ranges):
        layer = network.layers.get_submodule(path)
        parts = [*layer.parts] if hasattr(layer, "parts") else [layer]
        wanted: Any = digital.get_submodule(path)
        pairs = [("weights", torch.cat([part.get_weights()[0].flatten(1) for part in parts]), wanted.weight.flatten(1))]
        pairs += [("biases", part.get_weights()[1], wanted.bias) for part in parts if wanted.bias is not None]
        pairs += [("range", tile.input_range, ranges[path]) for part in parts for tile in part.analog_tiles()]
        for name, value, expected in pairs:
            if value is None or not torch.allclose(value, expected, rtol=1e-5, atol=1e-6):
                raise InvalidValueError(f"aihwkit changed the {name} of {path}")
