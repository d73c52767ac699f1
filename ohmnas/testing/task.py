"""The contract of a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pickle import dumps, loads

import numpy as np

from ohmnas.datasets.tasks.task import Task
from ohmnas.lookup import name_fault


class TaskContract(ABC):
    """Subclass this as ``class TestMine(TaskContract)`` and implement `make`. The files of the task must exist."""

    @abstractmethod
    def make(self) -> Task:
        """The task."""

    def test_its_name_is_valid_in_tables_and_commands(self) -> None:
        """`lookup.name_fault` accepts the name."""
        assert not name_fault(self.make().name)

    def test_its_bounds_hold_networks(self) -> None:
        """Sampling finds networks within the bounds."""
        task = self.make()
        assert 0 < task.min_params < task.max_params
        population = task.space.sample(
            10, np.random.default_rng(0), task.max_params, task.max_macs, task.min_params, at_least=1
        )
        params, macs = task.space.params(population), task.space.macs(population)
        assert len(population) > 0
        assert ((params >= task.min_params) & (params <= task.max_params) & (macs <= task.max_macs)).all()

    def test_its_images_are_what_it_states(self) -> None:
        """Shapes and types of every split match the task, and every split has all classes."""
        task = self.make()
        data = task.load()
        for split in (data.train, data.validation, data.test):
            assert split.images.shape == (len(split.labels), *task.input_shape)
            assert split.images.dtype in (np.uint8, np.float16, np.float32)
            assert split.labels.dtype == np.int64
            assert {*split.labels.tolist()} == {*range(task.classes)}

    def test_its_numbers_normalise_its_images(self) -> None:
        """After normalisation, each channel of the training images has mean 0 and standard deviation 1.

        The standard deviation of a constant channel is 0.
        """
        data = self.make().load()
        pixels = (data.train.images.astype(np.float64) - data.mean[:, None, None]) / data.std[:, None, None]
        assert np.abs(pixels.mean(axis=(0, 2, 3))).max() < 1e-3
        spread = pixels.std(axis=(0, 2, 3))
        assert np.minimum(np.abs(spread - 1), spread).max() < 1e-3

    def test_no_image_is_in_two_splits(self) -> None:
        """Splits share no images. Up to 1 % of the smaller split is allowed, because images may be equal by chance."""
        data = self.make().load()
        splits = (data.train, data.validation, data.test)
        keys = [{image.tobytes() for image in split.images} for split in splits]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert len(keys[one] & keys[other]) <= 0.01 * min(len(keys[one]), len(keys[other]))

    def test_loading_again_gives_the_same_images(self) -> None:
        """The splits stay the same, even for a pickled copy of the task, such as a worker process gets."""
        task = self.make()
        first, again = task.load(), loads(dumps(task)).load()  # noqa: S301 - our own bytes
        for name in ("train", "validation", "test"):
            assert np.array_equal(getattr(first, name).images, getattr(again, name).images)
            assert np.array_equal(getattr(first, name).labels, getattr(again, name).labels)
