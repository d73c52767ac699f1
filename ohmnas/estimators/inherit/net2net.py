"""Net2Wider and Net2Deeper (Chen et al., 2016) for ResNet-like networks: a child that computes its parent's function.

Notation: a *flow* is an ``(n,)`` array: for each of n channels of the child, the channel of the parent that it carries.

- Wider (stem channels, widening, inner channels): a new channel copies a channel of the parent. Weights that read
  one of k equal channels are divided by k.
- More branches: a new branch copies a branch of the parent. The last batch norms of k equal branches are divided by k.
- Deeper, with a residual connection: the last batch norm of the new block is 0, so the block returns its input.
- Deeper, without a residual connection, and new main blocks: the convolutions copy each channel. The channels are not
  negative, so the ReLUs change nothing. A stride of 2 averages four pixels. This keeps the mean over all pixels, which
  the classifier reads. The batch norms after these convolutions get the statistics of a batch of images, and a gain and
  an offset that undo the normalisation.
- Larger stem kernel: the kernel of the parent, padded with zeros.

Copies stay equal until training noise or `noise` separates them.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ohmnas.errors import InvalidValueError
from ohmnas.estimators.inherit.growth import growth_fault, inner_channels
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.network import ResidualBlock

Flow = npt.NDArray[np.intp]

_CONVS: Final = {"A": (0, 3), "B": (0, 3, 6)}
"""Indices of the convolutions in the body of a residual block; the batch norm of each is the next module."""


@torch.no_grad()
def inherit(
    network: nn.Sequential,
    parent: Architecture,
    child: Architecture,
    space: ResNetSpace,
    images: Tensor,
    rng: np.random.Generator,
    noise: float = 0.0,
) -> nn.Sequential:
    """Return the child's network, which computes the same function as its parent.

    The network is returned in training mode. In evaluation mode and without noise, its outputs equal the outputs of the
    parent for any image.

    Args:
        network: network of the parent, built by `ResNetSpace.build`.
        parent: architecture of the parent.
        child: a larger architecture without a `growth.growth_fault`.
        space: space of both.
        images: ``(b, channels, height, width)``: sets the statistics of the batch norms that must pass
            their input through unchanged.
        rng: chooses the copied channels and branches, and draws the noise.
        noise: standard deviation of the noise added to the weights of convolutions and linear layers, relative to the
            standard deviation of the layer's weights.

    Raises:
        InvalidValueError: the child cannot compute the function of its parent.
    """
    height, width = space.input_shape[1:]
    if fault := growth_fault(parent, child, (height, width)):
        raise InvalidValueError(f"{child} cannot inherit the weights of {parent}: {fault}")
    made = cast(nn.Sequential, space.build(child))
    flow = _grow_stem(network, made, parent, child, rng)
    passing = _grow_blocks(network, made, parent, child, flow, (height, width), rng)
    _invert(made, passing, images)
    if noise:
        for module in made.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                spread = noise * float(module.weight.std())
                module.weight += spread * torch.from_numpy(rng.standard_normal(module.weight.shape)).float()
    return made


def _wider(old: int, new: int, rng: np.random.Generator) -> Flow:
    """Flow of `new` channels: all `old` ones in order, then random copies."""
    return np.concatenate([np.arange(old), rng.integers(old, size=new - old)])


def _copies(flow: Flow) -> Tensor:
    """``(n,)``: for each channel, the number of channels that carry the same channel of the parent."""
    return torch.from_numpy(np.bincount(flow)[flow]).float()


def _grow_stem(
    network: nn.Sequential, made: nn.Sequential, parent: Architecture, child: Architecture, rng: np.random.Generator
) -> Flow:
    flow = _wider(parent.stem_channels, child.stem_channels, rng)
    conv, own = _conv(network, 0), _conv(made, 0)
    rim = (child.stem_kernel - parent.stem_kernel) // 2
    own.weight.copy_(nn.functional.pad(conv.weight[flow], (rim,) * 4))
    _copy_norm(_norm(network, 1), _norm(made, 1), flow)
    return flow


def _grow_blocks(
    network: nn.Sequential,
    made: nn.Sequential,
    parent: Architecture,
    child: Architecture,
    flow: Flow,
    sides: tuple[int, int],
    rng: np.random.Generator,
) -> list[nn.BatchNorm2d]:
    """Fill all residual blocks and the classifier.

    Returns:
        The batch norms that must pass their input through unchanged.
    """
    passing: list[nn.BatchNorm2d] = []
    theirs, ours = (iter([one for one in net if isinstance(one, ResidualBlock)]) for net in (network, made))
    widths = [*parent.channels]
    for place, (block, before) in enumerate(zip_longest(child.blocks, parent.blocks)):
        for repeat in range(block.residual_blocks):
            own, halves = next(ours), place > 0 and repeat == 0
            if before is not None and repeat < before.residual_blocks:
                out = _out_flow(own, flow, widths[place], child.channels[place], rng)
                _grow(next(theirs), own, before, block, flow, out, rng, passing)
            elif own.skip is not None and not halves:
                out = flow
                _silence(own.body)
            else:
                out = flow if len(flow) == child.channels[place] else _longer(flow, child.channels[place], rng)
                _pass(own, block, flow, out, sides if halves else None, passing)
            sides = ((sides[0] + 1) // 2, (sides[1] + 1) // 2) if halves else sides
            flow = out
    last, own_last = (cast(nn.Linear, net[-1]) for net in (network, made))
    own_last.weight.copy_(last.weight[:, flow] / _copies(flow))
    own_last.bias.copy_(last.bias)
    return passing


def _out_flow(own: ResidualBlock, flow: Flow, old: int, new: int, rng: np.random.Generator) -> Flow:
    """Flow after a block that the parent has too. An identity skip leaves the flow unchanged."""
    return flow if isinstance(own.skip, nn.Identity) else _wider(old, new, rng)


def _longer(flow: Flow, new: int, rng: np.random.Generator) -> Flow:
    return np.concatenate([flow, flow[rng.integers(len(flow), size=new - len(flow))]])


def _grow(
    theirs: ResidualBlock,
    own: ResidualBlock,
    before: MainBlock,
    block: MainBlock,
    flow: Flow,
    out: Flow,
    rng: np.random.Generator,
    passing: list[nn.BatchNorm2d],
) -> None:
    """Net2Wider for a residual block, given the flows before and after it."""
    old, convs = int(out.max()) + 1, _CONVS[block.conv_type]
    branches = _wider(before.branches, block.branches, rng)
    inner = (inner_channels(before, old), inner_channels(block, len(out)))
    # channels that each convolution reads, within a branch
    reads = [np.tile(flow, 1), *(_wider(*inner, rng) for _ in convs[1:])]
    for index, place in enumerate(convs):
        conv, grown = _conv(theirs.body, place), _conv(own.body, place)
        is_last = place == convs[-1]
        writes = out if is_last else reads[index + 1]
        wide = old if is_last else inner[0]
        rows = (branches[:, None] * wide + writes).reshape(-1)  # branch by branch
        grown.weight.copy_(conv.weight[rows][:, reads[index]] / _copies(reads[index])[:, None, None])
        norm = _norm(own.body, place + 1)
        _copy_norm(_norm(theirs.body, place + 1), norm, rows)
        if is_last:
            share = _copies(branches).repeat_interleave(len(out))
            norm.weight.div_(share)
            norm.bias.div_(share)
    if isinstance(own.skip, nn.Sequential):
        conv = _conv(own.skip, 0)
        if isinstance(theirs.skip, nn.Sequential):
            known = _conv(theirs.skip, 0)
            conv.weight.copy_(known.weight[out][:, flow] / _copies(flow)[:, None, None])
            _copy_norm(_norm(theirs.skip, 1), _norm(own.skip, 1), out)
        else:
            _select(conv, flow, out)
            passing.append(_norm(own.skip, 1))


def _silence(chain: nn.Module) -> None:
    """Make the output of a chain 0: set the gain and the offset of its last batch norm to 0."""
    norm = [one for one in chain.modules() if isinstance(one, nn.BatchNorm2d)][-1]
    norm.weight.zero_()
    norm.bias.zero_()


def _pass(
    own: ResidualBlock,
    block: MainBlock,
    flow: Flow,
    out: Flow,
    halved: tuple[int, int] | None,
    passing: list[nn.BatchNorm2d],
) -> None:
    """Make a block pass its input through unchanged. The channels of the input are not negative.

    Args:
        own: the residual block.
        block: main block of the residual block.
        flow: flow before the block.
        out: flow after the block.
        halved: height and width of an input that is halved by averaging; None for a stride of 1.
        passing: receives the batch norms that must pass their input through unchanged.
    """
    if own.skip is not None:
        _silence(own.skip)
    first, *others = (_conv(own.body, place) for place in _CONVS[block.conv_type])
    inner = inner_channels(block, len(out))
    # the channel that each inner channel carries, branch by branch
    slots = np.resize(out if inner == len(out) else np.unique(out), block.branches * inner)
    _select(first, flow, slots, halved if block.conv_type == "A" else None)
    for conv in others:
        conv.weight.zero_()
        wide, taps = conv.out_channels // block.branches, _taps(conv, halved if conv.stride[0] > 1 else None)
        for branch, carried in enumerate(slots.reshape(block.branches, inner)):
            for channel in range(wide):
                if conv is others[-1]:  # all branches that carry the channel share it
                    gains = (carried == out[channel]) / np.count_nonzero(slots == out[channel])
                else:
                    gains = np.arange(inner) == channel
                conv.weight[branch * wide + channel] = torch.from_numpy(gains).float()[:, None, None] * taps
    passing += [one for one in own.body.modules() if isinstance(one, nn.BatchNorm2d)]


def _select(conv: nn.Conv2d, flow: Flow, wanted: Flow, halved: tuple[int, int] | None = None) -> None:
    """Set the weights of a convolution: each output is the mean of the inputs that carry the wanted channel."""
    same = torch.from_numpy(wanted[:, None] == flow[None, :]).float()
    same /= same.sum(dim=1, keepdim=True)
    conv.weight.copy_(same[:, :, None, None] * _taps(conv, halved))


def _taps(conv: nn.Conv2d, halved: tuple[int, int] | None) -> Tensor:
    """Kernel ``(k, k)`` that passes a pixel through or, to halve an image, averages the pixels that become one."""
    size = conv.kernel_size[0]
    rows = []
    for side in halved or (1, 1):
        row = torch.zeros(size)
        row[size // 2 : size // 2 + min(side, 2)] = 1.0 / min(side, 2)
        rows.append(row)
    return torch.outer(*rows)


def _invert(network: nn.Sequential, norms: list[nn.BatchNorm2d], images: Tensor) -> None:
    """Set the statistics of batch norms from their inputs, and a gain and an offset that undo the normalisation.

    One forward pass sets all of them in order: each must pass its input through unchanged before the next
    one is measured.
    """

    def measure(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        norm = cast(nn.BatchNorm2d, module)
        mean, variance = inputs[0].mean(dim=(0, 2, 3)), inputs[0].var(dim=(0, 2, 3), unbiased=False)
        gain = torch.sqrt(variance + norm.eps)
        for values, new in zip(_values(norm), (gain, mean, mean, variance), strict=True):
            values.copy_(new)

    handles = [norm.register_forward_pre_hook(measure) for norm in norms]
    try:
        network.eval()
        network(images)
    finally:
        for handle in handles:
            handle.remove()
        network.train()


def _conv(chain: nn.Module, place: int) -> nn.Conv2d:
    return cast(nn.Conv2d, cast(nn.Sequential, chain)[place])


def _norm(chain: nn.Module, place: int) -> nn.BatchNorm2d:
    return cast(nn.BatchNorm2d, cast(nn.Sequential, chain)[place])


def _values(norm: nn.BatchNorm2d) -> tuple[Tensor, ...]:
    """Gain, offset, mean and variance."""
    return norm.weight, norm.bias, cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)


def _copy_norm(norm: nn.BatchNorm2d, grown: nn.BatchNorm2d, rows: Flow) -> None:
    for values, new in zip(_values(norm), _values(grown), strict=True):
        new.copy_(values[rows])
