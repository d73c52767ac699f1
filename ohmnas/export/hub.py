"""Export to a folder in the layout of the Hugging Face hub: card, configuration, weights, code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ohmnas.export.catalogue import Exported
from ohmnas.export.plain_torch import CODE, WEIGHTS, plain_network
from ohmnas.files import write_atomically

if TYPE_CHECKING:
    from ohmnas.datasets.campaign.trained import TrainedNetwork

CARD: Final = "README.md"
CONFIG: Final = "config.json"
MODEL: Final = "model.safetensors"
ORIGINAL: Final = "ohmnas"
"""Folder that `TrainedNetwork.load` reads, with the input ranges and the batch norm statistics for a chip."""

_CARD: Final = """---
library_name: pytorch
pipeline_tag: image-classification
tags:
- analog-in-memory-computing
- neural-architecture-search
- ohmnas
datasets:
- {dataset}
metrics:
- accuracy
{results}---

# {name} for {task}

An image classifier with {params:,} parameters for analog in-memory computing chips. It was trained by ohmnas with the
noise and the converters of the chip `{chip}`.

Architecture: `{architecture}`

{accuracies}## Use it

```python
from {module} import load

network = load("{model}")
logits = network(images)  # (batch, {shape}) float32, raw pixels as stored in the task's files -> (batch, {outputs})
```

`{code}` needs torch and safetensors. The network normalises the images itself.

On a simulated chip, with ohmnas:

```python
from ohmnas import TrainedNetwork

trained = TrainedNetwork.load("{original}")
analog = trained.on_chip()
```

## Training

| | |
|---|---|
{training}

Choose a licence before you publish this folder, and add it to the header.
"""


def export_hub(trained: TrainedNetwork, folder: Path) -> Exported:
    """Write `CARD`, `CONFIG`, `MODEL`, `plain_torch.CODE` and the folder `ORIGINAL`.

    Raises:
        InvalidValueError: as in `plain_torch.export_torch`.
    """
    _, difference = plain_network(trained, folder)
    (folder / WEIGHTS).replace(folder / MODEL)
    code = (folder / CODE).read_text(encoding="utf-8").replace(WEIGHTS, MODEL)
    write_atomically(folder / CODE, code)
    trained.save(folder / ORIGINAL)
    write_atomically(folder / CONFIG, json.dumps(_config(trained), indent=1) + "\n")
    write_atomically(folder / CARD, card(trained))
    return Exported(difference, "cd {out} && python -c 'from network import load; print(load())'")


def _config(trained: TrainedNetwork) -> dict[str, Any]:
    return {
        "model_type": "ohmnas",
        "architectures": ["Network"],
        "name": trained.name,
        "task": trained.task,
        "num_labels": trained.space.classes,
        "image_shape": list(trained.image_shape),
        "image_mean": list(trained.mean),
        "image_std": list(trained.std),
        "space": trained.space.name,
        "genome": list(trained.genome),
        "architecture": trained.architecture.to_dict(),
        "num_parameters": trained.params,
        "chip": {"name": trained.chip.name, "technology": trained.chip.technology, **trained.chip.settings()},
        "provenance": trained.provenance,
    }


def card(trained: TrainedNetwork) -> str:
    """Text of the model card, with its metadata header."""
    provenance = trained.provenance
    measured = provenance.get("measured", {})
    rows = [
        ("digital (no chip)", "accuracy_digital"),
        ("1 second after programming", "accuracy_1s"),
        ("1 hour", "accuracy_1h"),
        ("1 day", "accuracy_1d"),
        ("1 month", "accuracy_1mo"),
    ]
    known = [(label, name) for label, name in rows if name in measured]
    accuracies = ""
    if known:
        lines = [f"| {label} | {100 * measured[name]:.2f} % |" for label, name in known]
        accuracies = (
            f"Accuracy on the {trained.split} images, mean over {provenance['chips']} simulated `{trained.chip.name}` "
            "chips:\n\n" + "\n".join(["| time | accuracy |", "|---|---|", *lines]) + "\n\n"
        )
    training = {
        "task": trained.task,
        "fidelity": provenance["fidelity"],
        "epochs": provenance["epochs"],
        "batch": provenance["batch"],
        "training images": provenance["train_images"],
        "seed": provenance["seed"],
        "engine": provenance["engine"],
        **{f"{package} version": version for package, version in provenance["versions"].items()},
    }
    return _CARD.format(
        task=trained.task,
        dataset=json.dumps(trained.task),
        results=_results(trained, measured),
        name=trained.name,
        params=trained.params,
        chip=trained.chip.name,
        architecture=trained.architecture,
        accuracies=accuracies,
        module=CODE.removesuffix(".py"),
        code=CODE,
        model=MODEL,
        original=ORIGINAL,
        shape=", ".join(map(str, trained.image_shape)),
        outputs=trained.space.classes,
        training="\n".join(f"| {name} | {value} |" for name, value in training.items()),
    )


def _results(trained: TrainedNetwork, measured: dict[str, float]) -> str:
    """Lines of the header with the measured accuracies, in the format of the hub; empty if there are none."""
    names = {"accuracy_digital": "Accuracy without a chip", "accuracy_1d": "Accuracy after one day on the chip"}
    known = [(name, label) for name, label in names.items() if name in measured]
    if not known:
        return ""
    lines = [
        "model-index:",
        f"- name: {json.dumps(trained.name)}",
        "  results:",
        "  - task:",
        "      type: image-classification",
        "    dataset:",
        f"      name: {json.dumps(trained.task)}",
        f"      type: {json.dumps(trained.task)}",
        f"      split: {trained.split}",
        "    metrics:",
    ]
    for name, label in known:
        lines += ["    - type: accuracy", f"      name: {label}", f"      value: {measured[name]:.6f}"]
    return "\n".join(lines) + "\n"
