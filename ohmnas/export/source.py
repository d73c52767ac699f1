"""Readable Python code of a network: plain `nn.Module` classes for one architecture.

The code comes from the built module, not from the space, so it works for any space. Containers and torch's own layers
become constructor calls; every other module becomes a class. `torch.fx` traces the ``forward`` of a class, with each
child as a single call. Parameters keep their names.
"""

from __future__ import annotations

import operator
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import nn

Dialect = Callable[[str, "nn.Module"], str | None]
"""Returns the constructor call of the module at a path, or None to write the module in the default way."""

_OPERATORS: Final = {"add": "+", "iadd": "+", "sub": "-", "isub": "-", "mul": "*", "imul": "*", "truediv": "/"}
_HELPERS: Final = {
    "MeanOverPixels": '''
class MeanOverPixels(nn.Module):
    """(batch, channels, height, width) -> (batch, channels)."""

    def forward(self, x):
        return x.mean(dim=(2, 3))
''',
    "BranchSum": '''
class BranchSum(nn.Module):
    """(batch, branches * channels, height, width) -> (batch, channels, height, width): the sum of the branches."""

    def __init__(self, branches):
        super().__init__()
        self.branches = branches

    def forward(self, x):
        return x.unflatten(1, (self.branches, -1)).sum(dim=1)
''',
}


@dataclass
class Source:
    """Code of a network, collected by calls to `expression`."""

    dialect: Dialect = field(default=lambda _path, _module: None)
    classes: dict[str, str] = field(default_factory=dict)
    """Name -> code of each class, in the order in which they are needed."""
    _bodies: dict[str, str] = field(default_factory=dict)
    """Body of a class -> its name; modules with the same body share a class."""

    def expression(self, module: nn.Module, path: str = "", indent: int = 8) -> str:
        """Return the constructor call of a module.

        Args:
            module: the module.
            path: its path in the network.
            indent: indentation of the line on which the expression begins, in spaces.

        Raises:
            InvalidValueError: the module cannot be written as plain code.
        """
        from torch import nn

        from ohmnas.spaces.modules import BranchSum, MeanOverPixels

        if (own := self.dialect(path, module)) is not None:
            return own
        if type(module) is nn.ModuleList or (type(module) is nn.Sequential and _is_numbered(module)):
            children = [(name, child) for name, child in module._modules.items() if child is not None]
            inner = [self.expression(child, _join(path, name), indent + 4) for name, child in children]
            if type(module) is nn.Sequential:
                return _call("nn.Sequential", inner, indent)
            return _call("nn.ModuleList", [f"[{', '.join(inner)}]"], indent)
        if type(module) is nn.ModuleDict:
            items = [
                f'"{name}": {self.expression(child, _join(path, name), indent + 4)}' for name, child in module.items()
            ]
            spaces = " " * indent
            return "nn.ModuleDict({\n" + "".join(f"{spaces}    {item},\n" for item in items) + f"{spaces}}})"
        if isinstance(module, BranchSum | MeanOverPixels):
            name = type(module).__name__
            self.classes.setdefault(name, _HELPERS[name])
            return f"{name}({module.branches})" if isinstance(module, BranchSum) else f"{name}()"
        if (plain := _plain(module)) is not None:
            return plain
        return f"{self._class(module, path)}()"

    def _class(self, module: nn.Module, path: str) -> str:
        """Add a class for a module with its own ``forward``, and return the name of the class."""
        kind = type(module).__name__
        what = f"{path or 'the network'} ({kind})"
        if len([*module.parameters(recurse=False)]) + len([*module.buffers(recurse=False)]):
            raise InvalidValueError(f"{what} has its own parameters or buffers, which cannot be written as plain code")
        children = [(name, child) for name, child in module._modules.items() if child is not None]
        lines = [f"        self.{name} = {self.expression(child, _join(path, name))}" for name, child in children]
        summary = (type(module).__doc__ or kind).strip().splitlines()[0].replace("`", "").replace('"', "'")
        body = "\n".join(
            [
                f'    """{summary}"""',
                "",
                "    def __init__(self):",
                "        super().__init__()",
                *lines,
                "",
                *_forward(module, what),
                "",
            ]
        )
        if body not in self._bodies:
            names = (kind, *(f"{kind}{number}" for number in range(2, len(self.classes) + 4)))
            name = next(one for one in names if one not in self.classes and one != "Network")
            self._bodies[body] = name
            self.classes[name] = f"\nclass {name}(nn.Module):\n{body}"
        return self._bodies[body]


def _is_numbered(module: nn.Module) -> bool:
    """Return True if the children have the names that a constructor call gives them: 0, 1, 2 and so on."""
    return [*module._modules] == [str(place) for place in range(len(module._modules))]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _call(name: str, parts: list[str], indent: int) -> str:
    spaces = " " * indent
    return f"{name}(\n" + "".join(f"{spaces}    {part},\n" for part in parts) + f"{spaces})"


def _plain(module: nn.Module) -> str | None:
    """Constructor call of one of torch's own layers; None for other modules."""
    from torch import nn

    kind, known = f"nn.{type(module).__name__}", type(module)
    if known is nn.Conv2d:
        return f"nn.Conv2d({convolution_arguments(module)})"
    if known is nn.Linear:
        return f"nn.Linear({linear_arguments(module)})"
    if known in (nn.BatchNorm2d, nn.BatchNorm1d):
        plain: Any = module
        further = "" if plain.eps == 1e-5 else f", eps={plain.eps!r}"
        further += "" if plain.momentum == 0.1 else f", momentum={plain.momentum!r}"
        further += "" if plain.track_running_stats else ", track_running_stats=False"
        return f"{kind}({plain.num_features}{further}{'' if plain.affine else ', affine=False'})"
    if known is nn.ReLU or known is nn.Identity:
        return f"{kind}()"
    if known is nn.Flatten:
        ends: Any = module
        return "nn.Flatten()" if (ends.start_dim, ends.end_dim) == (1, -1) else None
    if known is nn.AvgPool2d or known is nn.MaxPool2d:
        pool: Any = module
        arguments = [repr(pool.kernel_size), f"stride={pool.stride!r}"]
        arguments += [f"padding={pool.padding!r}"] if pool.padding else []
        arguments += ["ceil_mode=True"] if pool.ceil_mode else []
        if known is nn.MaxPool2d:
            if pool.return_indices:
                return None
            arguments += [] if pool.dilation in (1, (1, 1)) else [f"dilation={pool.dilation!r}"]
        elif pool.divisor_override is not None:
            arguments += [f"divisor_override={pool.divisor_override!r}"]
        arguments += ["count_include_pad=False"] if known is nn.AvgPool2d and not pool.count_include_pad else []
        return f"{kind}({', '.join(arguments)})"
    if known is nn.AdaptiveAvgPool2d:
        return f"{kind}({module.output_size!r})"
    return None


def convolution_arguments(layer: Any, bias: bool | None = None, groups: bool = True) -> str:
    """Arguments of a convolution's constructor.

    Args:
        layer: a `Conv2d`.
        bias: whether to write a bias; None follows the layer.
        groups: False leaves out the groups.

    Raises:
        InvalidValueError: the layer does not pad with zeros.
    """
    if layer.padding_mode != "zeros":
        raise InvalidValueError(f"a convolution pads with {layer.padding_mode!r}; only zero padding can be exported")
    arguments = [str(layer.in_channels), str(layer.out_channels), _one(layer.kernel_size)]
    arguments += [] if layer.stride == (1, 1) else [f"stride={_one(layer.stride)}"]
    arguments += [] if layer.padding in ((0, 0), "valid") else [f"padding={_one(layer.padding)}"]
    arguments += [] if layer.dilation == (1, 1) else [f"dilation={_one(layer.dilation)}"]
    arguments += [f"groups={layer.groups}"] if groups and layer.groups > 1 else []
    arguments += [] if (layer.bias is not None if bias is None else bias) else ["bias=False"]
    return ", ".join(arguments)


def linear_arguments(layer: Any) -> str:
    """Arguments of a linear layer's constructor."""
    return f"{layer.in_features}, {layer.out_features}{'' if layer.bias is not None else ', bias=False'}"


def _one(pair: Any) -> str:
    return repr(pair) if isinstance(pair, str) or len({*pair}) > 1 else repr(pair[0])


def _forward(module: nn.Module, what: str) -> list[str]:
    """Lines of the ``forward`` of a module. The trace keeps each child as a single call.

    Raises:
        InvalidValueError: the ``forward`` cannot be traced, or it calls a function that has no plain code.
    """
    import torch.fx
    from torch import nn

    class Tracer(torch.fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002 - torch's signature
            return type(m) not in (nn.ModuleDict, nn.ModuleList)

    try:
        graph = Tracer().trace(module)
    except Exception as error:
        raise InvalidValueError(f"{what} cannot be written as plain code: {error}") from error
    lines, names = list[str](), dict[Any, str]()
    for node in graph.nodes:
        if node.op == "placeholder":
            names[node] = node.name
        elif node.op == "output":
            lines.append(f"        return {_word(node.args[0], names)}")
        else:
            lines.append(f"        {node.name} = {_node(node, module, names, what)}")
            names[node] = node.name
    if len(lines) > 1 and lines[-1] == f"        return {lines[-2].split(' = ')[0].strip()}":
        lines[-2:] = [f"        return {lines[-2].split(' = ', 1)[1]}"]
    inputs = ", ".join(node.name for node in graph.nodes if node.op == "placeholder")
    return [f"    def forward(self, {inputs}):", *lines]


def _node(node: Any, module: nn.Module, names: dict[Any, str], what: str) -> str:
    """Expression of one call in a traced forward."""
    arguments = [_word(one, names) for one in node.args]
    arguments += [f"{name}={_word(one, names)}" for name, one in node.kwargs.items()]
    if node.op == "call_module":
        return f"{_attribute(module, node.target)}({', '.join(arguments)})"
    if node.op == "call_method":
        return f"{arguments[0]}.{node.target}({', '.join(arguments[1:])})"
    if node.op == "call_function":
        name = node.target.__name__
        if getattr(operator, name, None) is node.target and name in _OPERATORS:
            return f"{arguments[0]} {_OPERATORS[name]} {arguments[1]}"
        if node.target is operator.getitem:
            return f"{arguments[0]}[{_index(node.args[1], names)}]"
        import torch

        if getattr(torch, name, None) is node.target:
            return f"torch.{name}({', '.join(arguments)})"
        if getattr(torch.nn.functional, name, None) is node.target:
            return f"functional.{name}({', '.join(arguments)})"
    raise InvalidValueError(f"{what} calls {node.target}, for which there is no plain code")


def _word(value: Any, names: dict[Any, str]) -> str:
    if _hashable(value) and value in names:
        return names[value]
    if isinstance(value, tuple | list):
        inner = ", ".join(_word(one, names) for one in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)


def _index(value: Any, names: dict[Any, str]) -> str:
    """Text of an index, with slices as ``1:2``."""
    if isinstance(value, tuple):
        return ", ".join(_index(one, names) for one in value)
    if isinstance(value, slice):
        ends = [value.start, value.stop, *([] if value.step is None else [value.step])]
        return ":".join("" if end is None else _word(end, names) for end in ends)
    return "..." if value is ... else _word(value, names)


def _hashable(value: Any) -> bool:
    return not isinstance(value, list | dict | tuple | slice)


def _attribute(module: nn.Module, target: str) -> str:
    """``layers.e01`` -> ``self.layers["e01"]``."""
    from torch import nn

    text, here = "self", module
    for name in target.split("."):
        if isinstance(here, nn.ModuleDict):
            text += f'["{name}"]'
        elif isinstance(here, nn.ModuleList):
            text += f"[{name}]"
        else:
            text += f".{name}"
        here = here.get_submodule(name)
    return text


def in_docstring(text: str, width: int = 110) -> str:
    """Wrap text for a docstring, and escape characters that could end it.

    The text contains names that can come from files of unknown origin.
    """
    wrapped = "\n".join(textwrap.fill(line, width) for line in text.splitlines())
    return wrapped.replace("\\", "\\\\").replace('"', '\\"')
