"""Run an ONNX export on test images: python run_onnx.py FOLDER test.npz. Needs NumPy and onnxruntime."""

import sys

import numpy as np
import onnxruntime

folder, file = sys.argv[1:]
test = np.load(file)
session = onnxruntime.InferenceSession(f"{folder}/network.onnx", providers=["CPUExecutionProvider"])
(logits,) = session.run(["logits"], {"images": test["images"]})
print(f"accuracy {np.mean(logits.argmax(axis=1) == test['labels']):.4f} on {len(logits)} test images")
