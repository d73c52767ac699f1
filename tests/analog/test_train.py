from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, to_analog
from ohmnas.analog.drift import accuracy, accuracy_of_one_chip
from ohmnas.analog.norms import batch_norms
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import NativeHooks, fit, shifted, train
from ohmnas.errors import DivergedError, InvalidValueError
from ohmnas.hardware import Hardware


def test_a_network_learns(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware) -> None:
    network = to_analog(small_network, chip)
    images, labels = two_blobs
    train(network, images[:200], labels[:200], Recipe(epochs=10, batch=50), seed=0)
    assert accuracy(network, images[200:], labels[200:]) > 0.8


def test_the_same_seed_trains_the_same_network(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    states = []
    for seed in (4, 4, 5):
        network = to_analog(small_network, chip)
        train(network, *two_blobs, Recipe(epochs=1, batch=100), seed)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_weights_stay_within_the_clipping_of_their_group(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    network = to_analog(small_network, replace(Hardware(), clip_sigma=1.5))
    train(network, *two_blobs, Recipe(epochs=2, batch=50), seed=0)
    for layer in analog_layers(network):
        groups = layer.weight.detach().view(layer.groups, -1)
        # clipping shrinks the deviation that it is a multiple of, so the largest weight sits somewhat above it
        assert (groups.abs().amax(dim=1) < 1.5 * 1.35 * groups.std(dim=1)).all()


def test_a_depthwise_layer_is_clipped_as_a_whole() -> None:
    """One weight and eight zeros: the weight is 3 standard deviations of its kernel, and 1.3 of the layer."""
    depthwise = nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False)
    with torch.no_grad():
        depthwise.weight[0] = torch.eye(9)[4].view(3, 3)
        depthwise.weight[1] = torch.tensor([1.0, -1.0, 1.0]).view(3, 1)
    network = to_analog(nn.Sequential(depthwise), Hardware())
    NativeHooks([*analog_layers(network)]).after_step()
    assert torch.equal(next(analog_layers(network)).weight, depthwise.weight)
    assert float(depthwise.weight[0].detach().std()) * Hardware().clip_sigma < 1.0


def test_a_diverged_training_is_an_error_with_its_epoch(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    images, labels = two_blobs
    network = to_analog(small_network, chip)
    with pytest.raises(DivergedError, match="epoch 1 of 3"):
        train(network, images * float("nan"), labels, Recipe(epochs=3, batch=50), seed=0)


def test_batch_norms_end_with_plain_averages(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=1, batch=50, norm_batches=7), seed=0)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [int(norm.num_batches_tracked) for norm in norms if norm.num_batches_tracked is not None] == [7, 7]


def test_a_trained_network_can_be_trained_on(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=1, batch=50), seed=0)
    assert {norm.momentum for norm in batch_norms(network)} == {0.1}
    with pytest.raises(DivergedError):
        train(network, float("nan") * two_blobs[0], two_blobs[1], Recipe(epochs=1, batch=50), seed=0)
    assert all(layer.noise is None for layer in analog_layers(network))


def test_layers_end_with_the_chips_full_noise(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=1, batch=100, noise_from=0.9, noise_full=2.0), seed=0)
    assert {layer.noise_strength for layer in analog_layers(network)} == {1.0}


def test_a_training_that_never_leaves_chance_is_given_up(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    images, labels = two_blobs
    guesses = labels[torch.randperm(len(labels))]
    hopeless = Recipe(epochs=10, batch=50, learning_rate=1e-6, hopeless_after=0.3)
    assert train(to_analog(small_network, chip), images, guesses, hopeless, 0).epochs == 3
    assert train(to_analog(small_network, chip), images, labels, Recipe(epochs=6, batch=50), 0).epochs == 6


def test_running_statistics_stay_where_none_are_averaged(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=4, batch=50, norm_batches=0), seed=0)
    assert accuracy(network, *two_blobs) > 0.6


def test_images_move_one_by_one_within_the_shift() -> None:
    images = torch.zeros(200, 2, 5, 7)
    images[:, 0, 2, 3] = 1.0
    images[:, 1, 2, 3] = 2.0
    moved = shifted(images, (1, 2))
    which, rows, columns = torch.nonzero(moved[:, 0], as_tuple=True)
    assert torch.equal(which, torch.arange(200))
    assert {*zip(rows.tolist(), columns.tolist(), strict=True)} == {(r, c) for r in (1, 2, 3) for c in range(1, 6)}
    assert torch.equal(moved[:, 1], 2 * moved[:, 0])
    assert shifted(images, (0, 0)) is images


def test_every_second_epoch_mirrors_the_same_images(two_blobs: tuple[Tensor, Tensor]) -> None:
    """Of two epochs an image is mirrored in one; at random it would be in none or in both half of the time."""
    seen = _Seen(two_blobs[0])
    for alternate, expected in ((True, 1.0), (False, 0.5)):
        recipe = Recipe(epochs=2, batch=len(two_blobs[1]), flip=True, alternate=alternate, hopeless_loss=10.0)
        counts = seen.mirrored_in(recipe)
        assert abs(float((counts == 1).double().mean()) - expected) <= (0.0 if alternate else 0.15)


class _Seen:
    """Notes which images a training run mirrors."""

    def __init__(self, images: Tensor) -> None:
        self._images = images

    def mirrored_in(self, recipe: Recipe) -> Tensor:
        """``(m,)``: in how many epochs each image was mirrored."""
        counts = torch.zeros(len(self._images))

        class Network(nn.Module):
            def __init__(network) -> None:  # noqa: N805 - self is the outer one
                super().__init__()
                network.linear = nn.Linear(1, 3)

            def forward(network, x: Tensor) -> Tensor:  # noqa: N805
                if network.training and torch.is_grad_enabled():
                    for image in x:
                        plain = (self._images == image).flatten(1).all(dim=1)
                        if not plain.any():
                            counts[(self._images.flip(-1) == image).flatten(1).all(dim=1)] += 1
                result: Tensor = network.linear(x.mean(dim=(1, 2, 3))[:, None])
                return result

        labels = torch.arange(len(self._images)) % 3
        fit(Network(), self._images, labels, recipe, 0, NativeHooks([]))
        return counts


def test_images_are_small_at_first(two_blobs: tuple[Tensor, Tensor]) -> None:
    sides: list[int] = []

    class Network(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            sides.append(x.shape[-1])
            return super().forward(x.mean(dim=(1, 2, 3))[:, None])

    recipe = Recipe(epochs=2, batch=100, small_until=0.5, norm_batches=0, hopeless_loss=10.0)
    fit(Network(1, 3), *two_blobs, recipe, 0, NativeHooks([]))
    assert sides == [3, 3, 3, 6, 6, 6]


def test_label_smoothing_bounds_the_loss_from_below(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    losses = [
        train(to_analog(small_network, chip), *two_blobs, Recipe(epochs=8, batch=30, label_smoothing=share), 0).loss
        for share in (0.0, 0.3)
    ]
    right, wrong = 0.8, 0.1  # of a perfect answer to three classes with a share of 0.3
    assert losses[1] > -(right * math.log(right) + 2 * wrong * math.log(wrong)) > losses[0]


def test_reading_between_epochs_does_not_change_the_training(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    networks: list[nn.Sequential] = []
    accuracies: list[tuple[int, float]] = []

    def read(epoch: int) -> None:
        accuracies.append((epoch, accuracy_of_one_chip(networks[-1], chip, *two_blobs, seed=epoch)))

    for after_epoch in (None, read):
        networks.append(to_analog(small_network, chip))
        training = train(networks[-1], *two_blobs, Recipe(epochs=3, batch=50), 0, after_epoch)
        assert training.epochs == len(training.losses) == 3
    assert [epoch for epoch, _ in accuracies] == [1, 2]
    for one, other in zip(*(network.state_dict().values() for network in networks), strict=True):
        assert torch.equal(one, other)


class _Twice(nn.Module):
    """Calls one layer twice, and another never."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared, self.unused = nn.Linear(72, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x.flatten(1)))
        result: Tensor = self.last(torch.relu(self.shared(torch.relu(self.shared(x)))))
        return result


def test_layers_that_are_not_used_once_are_refused(two_blobs: tuple[Tensor, Tensor], chip: Hardware) -> None:
    message = r"shared \(Linear\) 2 times, unused \(Linear\) 0 times.*keep_digital"
    with pytest.raises(InvalidValueError, match=message):
        train(to_analog(_Twice(), chip), *two_blobs, Recipe(epochs=1, batch=50), seed=0)
    network = to_analog(_Twice(), chip, keep_digital=["shared", "unused"])
    assert train(network, *two_blobs, Recipe(epochs=6, batch=50), seed=0).loss < 0.8


def test_batch_norms_behind_linear_layers_end_with_plain_averages(
    two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(72, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    analog = to_analog(network, chip)
    train(analog, *two_blobs, Recipe(epochs=1, batch=50, norm_batches=7), seed=0)
    norm = analog[2]
    assert isinstance(norm, nn.BatchNorm1d)
    assert int(norm.num_batches_tracked or 0) == 7


@pytest.mark.parametrize("options", [{"affine": False}, {"track_running_stats": False}])
def test_networks_with_biases_and_plain_batch_norms_learn(
    options: dict[str, bool], two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(
        nn.Sequential(
            nn.Conv2d(2, 8, 3, padding="same"),
            nn.BatchNorm2d(8, **options),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 3),
        ),
        chip,
    )
    train(network, *two_blobs, Recipe(epochs=8, batch=50), seed=0)
    assert accuracy(network, *two_blobs) > 0.8
