"""Program, drift and read an aihwkit export: python run_aihwkit.py FOLDER test.npz [CHIPS]. Needs torch and aihwkit."""

import sys

import numpy as np
import torch

folder, file, chips = sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["25"])[0])
sys.path.insert(0, folder)
sys.modules["ohmnas"] = None  # any import of ohmnas would fail from here on

from network import drift, load, program  # noqa: E402 - the folder's network.py

TIMES = {"1 second": 1.0, "1 hour": 3600.0, "1 day": 86_400.0, "1 month": 30 * 86_400.0}

test = np.load(file)
images, labels = torch.from_numpy(test["images"]), torch.from_numpy(test["labels"])
network = load()
accuracies = np.empty((chips, len(TIMES)))
torch.manual_seed(0)
with torch.no_grad():
    for chip in range(chips):
        program(network)
        for column, seconds in enumerate(TIMES.values()):
            drift(network, seconds)
            accuracies[chip, column] = (network(images).argmax(dim=1) == labels).double().mean()
for time, values in zip(TIMES, accuracies.T, strict=True):
    error = values.std(ddof=1) / np.sqrt(chips)
    print(f"{time:8}  {values.mean():.4f} ± {error:.4f} (standard error of {chips} chips)")
