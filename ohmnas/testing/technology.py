"""The contract of a device technology. Needs ``ohmnas[train]``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.hardware.presets import preset, varied
from ohmnas.hardware.settings import Hardware
from ohmnas.hardware.technologies import TECHNOLOGIES
from ohmnas.hardware.technology import Technology
from ohmnas.lookup import name_fault

_WEIGHTS = 200_000
_DAY, _MONTH = 86_400.0, 30 * 86_400.0


class TechnologyContract(ABC):
    """Subclass this as ``class TestMine(TechnologyContract)`` and implement `make`."""

    drifts: ClassVar[bool] = True
    """True if the errors of devices grow between a day and a month after programming."""

    @abstractmethod
    def make(self) -> Technology:
        """The technology."""

    @contextmanager
    def _chip(self) -> Iterator[Hardware]:
        """Register the technology, and yield its preset chip."""
        technology = self.make()
        if technology.name in TECHNOLOGIES:
            yield preset(technology.name)
            return
        with TECHNOLOGIES.registered(technology.name, technology):
            yield preset(technology.name)

    def test_its_name_is_valid_in_tables_and_commands(self) -> None:
        """`lookup.name_fault` accepts the name, and the name does not end in ``.toml``, which marks a file."""
        name = self.make().name
        assert not name_fault(name)
        assert not name.endswith(".toml")

    def test_its_preset_is_a_chip_that_features_describe(self) -> None:
        """`Hardware.description` has the settings and the errors of the devices, all finite."""
        with self._chip() as chip:
            described = chip.description()
            assert chip.name == chip.technology == self.make().name
            assert {*described} == {*Hardware().description()}
            assert np.isfinite([*described.values()]).all()

    def test_its_chips_can_be_varied(self) -> None:
        """``NAME-t64-d6-a7`` is the chip with tiles of 64 rows, 6-bit DACs and 7-bit ADCs."""
        with self._chip() as chip:
            one = varied(chip.technology, 64, 6, 7)
            assert (one.tile_rows, one.dac_bits, one.adc_bits, one.g_max) == (64, 6, 7, chip.g_max)

    def test_its_noise_model_takes_the_scales_of_a_chip(self) -> None:
        """Programming is exact without noise. With noise, conductances differ, but stay finite and at least 0."""
        import torch

        from ohmnas.analog.device import noise_model

        with self._chip() as chip:
            exact = noise_model(replace(chip, programming_noise=0.0, read_noise=0.0, drift=0.0))
            conductances = torch.linspace(self.make().smallest_conductance, chip.g_max, 1000)
            assert torch.allclose(exact.apply_programming_noise_to_conductance(conductances.clone()), conductances)
            noisy = noise_model(chip).apply_programming_noise_to_conductance(conductances.clone())
            assert (noisy >= 0).all()
            assert torch.isfinite(noisy).all()
            assert not torch.allclose(noisy, conductances)

    def test_two_programmings_differ_and_the_same_seed_repeats_them(self) -> None:
        """All noise comes from torch's global generator."""
        first, again, other = (self._errors(seed, _DAY) for seed in (0, 0, 1))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_the_errors_of_devices_are_those_of_the_noise_model(self) -> None:
        """`spread_1d` and `spread_1mo` are within 3 % or 0.0005 of the simulation, `offset_1d` within 0.0005.

        If `drifts`, the spread also grows from a day to a month.
        """
        technology = self.make()
        day, month = (self._errors(0, seconds) for seconds in (_DAY, _MONTH))
        for measured, stated in ((day.std(), technology.spread_1d), (month.std(), technology.spread_1mo)):
            assert abs(measured - stated) <= max(0.03 * stated, 5e-4), (measured, stated)
        assert abs(day.mean() - technology.offset_1d) <= 5e-4, (day.mean(), technology.offset_1d)
        assert not self.drifts or month.std() > day.std()

    def _errors(self, seed: int, seconds: float) -> npt.NDArray[Any]:
        """``(w,)``: errors of normally distributed weights, clipped at 2.5 standard deviations, on one tile."""
        import torch
        from torch import nn

        from ohmnas.analog.chip import Chip, ProgrammingTargets
        from ohmnas.analog.convert import to_analog

        with self._chip() as chip, torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            weights = torch.randn(_WEIGHTS).clamp(-2.5, 2.5) / 2.5
            targets = replace(
                ProgrammingTargets.of(to_analog(nn.Sequential(nn.Linear(1, 1)), chip)),
                weights=weights,
                tile_of_weight=torch.zeros(len(weights), dtype=torch.int64),
                tiles=1,
            )
            torch.manual_seed(seed + 1)  # with the seed of the weights, the noise would equal the weights
            one = Chip(targets, replace(chip, output_noise=0.0, adc_bits=0))
            read = one.weights_at(seconds)
            errors: npt.NDArray[Any] = (read * one.compensation(read) - weights).numpy()
        return errors
