"""Run a PyTorch export on test images: python run_torch.py FOLDER test.npz. Needs NumPy, torch and safetensors."""

import sys

import numpy as np
import torch

folder, file = sys.argv[1:]
sys.path.insert(0, folder)
sys.modules["ohmnas"] = None  # any import of ohmnas would fail from here on

from network import load  # noqa: E402 - the folder's network.py

test = np.load(file)
network = load()
with torch.no_grad():
    logits = network(torch.from_numpy(test["images"])).numpy()
print(f"accuracy {np.mean(logits.argmax(axis=1) == test['labels']):.4f} on {len(logits)} test images")
