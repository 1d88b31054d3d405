#!/usr/bin/env python3
"""Writes testdata/shapes.npz: 96 images of 1x32x32 in three classes that a small network learns fast.

  python3 -m venv v && v/bin/pip install numpy==2.4.6 && v/bin/python make_shapes.py
"""

import os

import numpy as np

random = np.random.default_rng(1)
index = np.arange(32)
rows = np.broadcast_to((index // 4 % 2)[:, None], (32, 32))
shapes = [rows, rows.T, rows ^ rows.T]  # stripes across, stripes down, squares
labels = np.arange(96) % 3
images = np.empty((96, 1, 32, 32), np.uint8)
for i, label in enumerate(labels):
    shape = np.roll(shapes[label], random.integers(0, 8, 2), (0, 1))
    images[i, 0] = 60 + 100 * shape + 16 * random.integers(0, 4)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "testdata", "shapes.npz")
np.savez_compressed(path, x_train=images[:72], y_train=labels[:72], x_test=images[72:],
                    y_test=labels[72:])
