"""The native layers against the formula and against aihwkit's own layers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from aihwkit.nn.conversion import convert_to_analog
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, set_mode, set_noise, to_analog, to_digital
from ohmnas.analog.noise import NoisePool
from ohmnas.analog.rpu import rpu_config
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import IDEAL, Hardware

QUIET = Hardware(output_noise=0.0)
LAYERS: dict[str, nn.Module] = {
    "3x3": nn.Conv2d(16, 24, 3, padding=1, bias=False),
    "stride 2": nn.Conv2d(16, 24, 3, stride=2, padding=1, bias=False),
    "7x7, one channel": nn.Conv2d(1, 9, 7, padding=3, bias=False),
    "1x1": nn.Conv2d(16, 8, 1, bias=False),
    "1x1 stride 2": nn.Conv2d(16, 8, 1, stride=2, bias=False),
    "linear": nn.Linear(40, 10),
}


def _input(layer: nn.Module) -> Tensor:
    if isinstance(layer, nn.Linear):
        return torch.randn(5, layer.in_features)
    assert isinstance(layer, nn.Conv2d)
    return torch.randn(5, layer.in_channels, 9, 8)


@pytest.mark.parametrize("rows", [512, 50, 7])
@pytest.mark.parametrize("bits", [(8, 8), (0, 0), (8, 0), (4, 6)])
@pytest.mark.parametrize("name", LAYERS)
def test_without_noise_a_layer_computes_what_aihwkit_computes(name: str, bits: tuple[int, int], rows: int) -> None:
    chip = replace(QUIET, tile_rows=rows, dac_bits=bits[0], adc_bits=bits[1])
    network = nn.Sequential(LAYERS[name])
    mine, theirs = to_analog(network, chip).eval(), convert_to_analog(network, rpu_config(chip)).eval()
    next(analog_layers(mine)).input_range.fill_(1.7)
    for tile in theirs.analog_tiles():
        tile.input_range.data.fill_(1.7)
    x = _input(LAYERS[name])
    if bits[0] == 0:
        x = x.clamp(-1.7, 1.7)  # aihwkit clips to its input range even where the DAC is ideal
    with torch.no_grad():
        expected, found = theirs(x), mine(x)
    step = 1.7 * chip.adc_bound / (2.0 ** (chip.adc_bits - 1) - 1) if chip.adc_bits else 0.0
    wrong = (found - expected).abs() > 1e-5 * expected.abs().max()
    # float32 sums in another order: a value that lies on the edge between two ADC steps may fall on either side
    assert wrong.float().mean() < (0.002 if step else 1e-9)
    layer = next(analog_layers(mine))
    largest = layer.mapping.column_scale(layer.weight).max()
    assert ((found - expected).abs() <= 1.01 * step * largest + 1e-5 * expected.abs().max()).all()


@pytest.mark.parametrize("name", LAYERS)
def test_an_ideal_chip_computes_what_the_network_computes(name: str) -> None:
    network = nn.Sequential(LAYERS[name])
    x = _input(LAYERS[name])
    with torch.no_grad():
        expected = network(x)
        found = to_analog(network, replace(IDEAL, tile_rows=33)).eval()(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_split_tiles_and_groups_agree_with_separate_layers() -> None:
    grouped = nn.Conv2d(12, 8, 3, padding=1, groups=2, bias=False)
    chip = replace(QUIET, tile_rows=20)
    x = torch.randn(4, 12, 6, 6)
    whole = to_analog(nn.Sequential(grouped), chip).eval()
    next(analog_layers(whole)).input_range.fill_(2.0)
    halves = []
    with torch.no_grad():
        for group in range(2):
            one = nn.Conv2d(6, 4, 3, padding=1, bias=False)
            one.weight.copy_(grouped.weight[4 * group : 4 * group + 4])
            part = to_analog(nn.Sequential(one), chip).eval()
            next(analog_layers(part)).input_range.fill_(2.0)
            halves.append(part(x[:, 6 * group : 6 * group + 6]))
        torch.testing.assert_close(whole(x), torch.cat(halves, dim=1))


def test_output_noise_has_the_strength_of_the_chip() -> None:
    """1,000 readings, ADC ideal: the std is output_noise x input range x column scale, within 4 standard errors."""
    chip = Hardware(adc_bits=0, output_noise=0.04)
    layer = to_analog(nn.Sequential(nn.Linear(6, 3)), chip).eval()
    one = next(analog_layers(layer))
    one.input_range.fill_(2.0)
    set_noise(layer, NoisePool(0))
    with torch.no_grad():
        readings = layer(torch.ones(1000, 6))
    expected = 0.04 * 2.0 * one.mapping.column_scale(one.weight)[:, 0]
    ratio = readings.std(dim=0) / expected
    assert ((ratio - 1).abs() < 4 / (2 * 1000) ** 0.5).all()


def test_training_noise_has_the_strength_of_the_chip() -> None:
    """Weight noise on one input line, 2,000 draws: std is training_noise x column scale, within 4 errors."""
    chip = replace(IDEAL, training_noise=0.06)
    network = to_analog(nn.Sequential(nn.Linear(4, 5)), chip).train()
    layer = next(analog_layers(network))
    x = torch.zeros(1, 4)
    x[0, 2] = 1.0
    with torch.no_grad():
        draws = torch.stack([network(x)[0] for _ in range(2000)])
    expected = 0.06 * layer.mapping.column_scale(layer.weight)[:, 0]
    assert ((draws.std(dim=0) / expected - 1).abs() < 4 / (2 * 2000) ** 0.5).all()


def test_gradients_are_those_of_the_exact_layer_inside_of_the_ranges() -> None:
    torch.manual_seed(1)
    layer = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    chip = replace(QUIET, dac_bits=12, adc_bits=14, training_noise=0.0, adc_bound=50.0)
    analog = to_analog(nn.Sequential(layer), chip).train()
    x = torch.randn(2, 3, 5, 5).clamp(-2, 2)
    grads = []
    for network in (nn.Sequential(layer), analog):
        one = x.clone().requires_grad_()
        network.zero_grad()
        network(one).pow(2).sum().backward()
        weight = next(network.parameters()).grad
        assert one.grad is not None
        assert weight is not None
        grads.append((one.grad.clone(), weight.clone()))
    for exact, found in zip(*grads, strict=True):
        assert torch.nn.functional.cosine_similarity(exact.flatten(), found.flatten(), dim=0) > 0.999
        assert abs(float(found.norm() / exact.norm()) - 1) < 0.01


def test_nothing_flows_back_where_the_dac_clips() -> None:
    network = to_analog(nn.Sequential(nn.Linear(2, 1)), replace(QUIET, training_noise=0.0)).eval()
    x = torch.tensor([[0.5, 9.0]], requires_grad=True)
    network(x).sum().backward()
    assert x.grad is not None
    assert x.grad[0, 0] != 0
    assert x.grad[0, 1] == 0


def test_the_input_range_of_images_is_their_largest_value() -> None:
    network = to_analog(nn.Sequential(nn.Linear(20, 1)), Hardware()).train()
    layer = next(analog_layers(network))
    batches = torch.randn(3, 50, 20)
    for batch in batches:
        network(batch).sum().backward()
    assert float(layer.input_range) == float(batches.abs().max())
    assert layer.log_range.grad is None


def test_the_input_range_is_learned() -> None:
    """Noise asks for a small range, clipping for a large one."""
    multiples = []
    for noise in (0.0, 0.3):
        torch.manual_seed(0)
        network = to_analog(nn.Sequential(nn.Linear(8, 1, bias=False)), Hardware(output_noise=noise)).train()
        layer = next(analog_layers(network))
        set_noise(network, NoisePool(0))
        optimizer = torch.optim.SGD([layer.log_range], lr=0.5)
        for _ in range(300):
            x = torch.randn(256, 8, requires_grad=True)
            optimizer.zero_grad()
            (network(x) - torch.nn.functional.linear(x, layer.weight)).square().mean().backward()
            optimizer.step()
        multiples.append(float(layer.log_range.detach().exp()))
    quiet, noisy = multiples
    assert noisy < quiet - 0.3
    assert noisy > 1.0


def test_the_input_range_follows_training_and_rests_in_evaluation() -> None:
    network = to_analog(nn.Sequential(nn.Linear(20, 1)), Hardware())
    layer = next(analog_layers(network))
    network.train()((3 * torch.randn(500, 20)).requires_grad_())
    assert 11 < float(layer.input_range) < 13
    before = layer.input_range.clone()
    network.eval()(torch.randn(5, 20))
    assert torch.equal(layer.input_range, before)


def test_digital_mode_is_exact() -> None:
    linear = nn.Linear(7, 3)
    network = to_analog(nn.Sequential(linear), Hardware()).eval()
    set_mode(network, "digital")
    x = torch.randn(4, 7)
    torch.testing.assert_close(network(x), linear(x))


ODD_LAYERS: dict[str, nn.Conv2d | nn.Linear] = {
    "bias": nn.Conv2d(6, 8, 3, padding=1),
    "grouped, bias": nn.Conv2d(6, 8, 3, padding=1, groups=2),
    "dilation": nn.Conv2d(6, 8, 3, padding=2, dilation=2, bias=False),
    "same": nn.Conv2d(6, 8, 3, padding="same"),
    "same, even kernel": nn.Conv2d(6, 8, (4, 2), padding="same"),
    "same, dilation": nn.Conv2d(6, 8, (2, 3), padding="same", dilation=(3, 2)),
    "valid": nn.Conv2d(6, 8, 3, padding="valid"),
    "reflect": nn.Conv2d(6, 8, 3, padding=(2, 1), padding_mode="reflect"),
    "circular": nn.Conv2d(6, 8, 3, padding="same", padding_mode="circular"),
    "linear without bias": nn.Linear(9, 5, bias=False),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")  # torch's of its own layer
@pytest.mark.parametrize("rows", [512, 7])
@pytest.mark.parametrize("name", ODD_LAYERS)
def test_padding_dilation_and_bias_are_those_of_the_layer(name: str, rows: int) -> None:
    layer = ODD_LAYERS[name]
    analog = to_analog(nn.Sequential(layer), replace(IDEAL, tile_rows=rows))
    x = torch.randn(3, 6, 8, 9) if isinstance(layer, nn.Conv2d) else torch.randn(3, 9)
    grads = []
    for network in (layer, analog[0]):
        one = x.clone().requires_grad_()
        y = network(one)
        y.square().sum().backward()
        weight, bias = network.weight, network.bias
        assert isinstance(weight, nn.Parameter)
        grads.append([y, one.grad, weight.grad, *([bias.grad] if isinstance(bias, nn.Parameter) else [])])
        network.zero_grad()
    for exact, found in zip(*grads, strict=True):
        torch.testing.assert_close(found, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ODD_LAYERS)
def test_a_layer_comes_back_with_its_settings(name: str) -> None:
    layer = ODD_LAYERS[name]
    layer.weight.requires_grad_(False)
    back = to_digital(to_analog(nn.Sequential(layer), IDEAL))[0]
    assert repr(back) == repr(layer)
    assert back.state_dict().keys() == layer.state_dict().keys()
    assert all(torch.equal(one, layer.state_dict()[key]) for key, one in back.state_dict().items())
    assert [p.requires_grad for p in back.parameters()] == [p.requires_grad for p in layer.parameters()]
    layer.weight.requires_grad_(True)


@pytest.mark.parametrize("rows", [512, 3])
@pytest.mark.parametrize("shape", [(7,), (3, 7), (3, 3, 7), (2, 3, 4, 7)])
def test_a_linear_layer_reads_vectors_one_after_the_other(shape: tuple[int, ...], rows: int) -> None:
    """Also where there are as many vectors as outputs: gains belong to outputs."""
    linear = nn.Linear(7, 3)
    network = to_analog(nn.Sequential(linear), replace(IDEAL, tile_rows=rows)).eval()
    x = torch.randn(shape)
    torch.testing.assert_close(network(x), linear(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("chip", [Hardware(), replace(IDEAL, tile_rows=7)], ids=["whole", "split"])
@pytest.mark.parametrize("training", [True, False])
def test_inputs_of_another_shape_are_refused(chip: Hardware, training: bool) -> None:
    convolution = to_analog(nn.Sequential(nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6)), chip).train(training)
    linear = to_analog(nn.Sequential(nn.Flatten(), nn.Linear(9, 5)), chip).train(training)
    for shape in ((2, 5, 8, 8), (4, 8, 8), (2, 3, 8, 8)):
        with pytest.raises(InvalidValueError, match=r"0 reads \(batch, 4, height, width\), not \("):
            convolution(torch.randn(shape))
    with pytest.raises(InvalidValueError, match=r"1 reads \(\.\.\., 9\), not \(2, 10\)"):
        linear(torch.randn(2, 10))
