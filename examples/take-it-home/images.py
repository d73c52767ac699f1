"""Write the test images of a task to an .npz file: python images.py digits test.npz."""

import sys

import numpy as np

from ohmnas import task

test = task(sys.argv[1]).load().test
np.savez(sys.argv[2], images=test.images.astype(np.float32), labels=test.labels)
print(f"{len(test.labels)} images of {test.images.shape[1:]}, pixels from {test.images.min()} to {test.images.max()}")
