"""Official archives of tasks: their addresses and checksums."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Archive:
    """Official archive with the files of a task."""

    url: str
    checksum: str
    """``algorithm:digest`` in hexadecimal, published by the authors or by frameworks that use the archive."""
    folder: str
    """Folder for the unpacked files, inside the data folder."""
    in_folder: bool = True
    """True if the paths in the archive start with the folder's name."""


ARCHIVES = {
    "cifar10": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "md5:c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-batches-bin",
    ),
    "people": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        "md5:03b5dce01913d631647c71ecec9e9cb8",
        "cifar-100-binary",
    ),
    "speech-commands": Archive(
        "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        "speech_commands_v0.02",
        in_folder=False,
    ),
}
"""Task -> archive with a published checksum."""

BY_HAND = {
    "digits": "its images come with scikit-learn",
    "spoken-digits": "clone github.com/Jakobovski/free-spoken-digit-dataset into the data folder",
    "spoken-digits-new-speakers": "clone github.com/Jakobovski/free-spoken-digit-dataset into the data folder",
    "visual-wake-words": (
        "put COCO's folders train2014, val2014 and annotations (cocodataset.org) into the folder coco; the folders of "
        "2017 also work"
    ),
}
"""Task -> how to get its files, for tasks that have no single archive with a published checksum."""
