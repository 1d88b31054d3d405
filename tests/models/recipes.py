"""What goes into the models: pictures of digits, and how the archives' JSON says so.

Each recipe is the sentence that stands in the JSON and the function that does what it says.
"""

import csv
import glob
import gzip
import io
import os
import subprocess
import sys
import zipfile

import numpy as np
import torch
from torch.nn import functional as F

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SIZES = (8, 16, 28, 32, 64)
SAMPLES = 640


def digits(cache):
    """scikit-learn's digits: values 0 to 16 [640, 1, 8, 8] and labels."""
    command = [sys.executable, os.path.join(ROOT, "third_party/wheels/fetch.py"), "--lock",
               os.path.join(ROOT, "third_party/scikit_learn/requirements.lock"), "--cache", cache,
               "--keep", "sklearn/datasets/data/digits.csv.gz=./"]
    folder = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with gzip.open(os.path.join(folder, "digits.csv.gz"), "rt") as lines:
        rows = np.array([[float(cell) for cell in row] for row in csv.reader(lines)])[:SAMPLES]
    pictures = torch.tensor(rows[:, :-1], dtype=torch.float32).view(-1, 1, 8, 8)
    return pictures, rows[:, -1].astype(np.int64)


def write_npz(path, **arrays):
    """Uncompressed, and equal bytes for equal arrays."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), data.getvalue())


def write_data(folder, cache, samples=SAMPLES):
    pictures, labels = digits(cache)
    for size in SIZES:
        scaled = F.interpolate(pictures, size=(size, size), mode="bilinear", align_corners=False)
        pixels = (scaled * (255 / 16)).round().clamp(0, 255).to(torch.uint8).numpy()
        write_npz(os.path.join(folder, f"digits{size}.npz"), x=pixels[:samples],
                  y=labels[:samples])


def read_data(folder):
    files = glob.glob(os.path.join(folder, "digits*.npz"))
    return {os.path.basename(path)[:-4]: {key: torch.from_numpy(value)
                                          for key, value in np.load(path).items()}
            for path in files}


def unit(pixels):
    return pixels.to(torch.float32) / 255


def pictures(size, channels):
    def make(data):
        x = unit(data[f"digits{size}"]["x"]).expand(-1, channels, -1, -1).contiguous()
        return [x], data[f"digits{size}"]["y"]

    text = (f"x = (u8/255 as float32) repeated to 3 channels, shape (N,3,{size},{size})"
            if channels == 3 else f"x = u8/255 (float32), shape (N,1,{size},{size})")
    return [f"digits{size}.npz"], text, "labels", make


def segmentation(size, channels):
    files, text, _, inputs = pictures(size, channels)

    def make(data):
        return inputs(data)[0], (data[f"digits{size}"]["x"].squeeze(1) > 127).long()

    return files, text + f"; target = (u8 > 127 as int64), shape (N,{size},{size})", "mask", make


def tokens_of(data):
    return (data["digits8"]["x"] // 16).long().view(-1, 64)


TOKENS = "tokens = (u8 // 16 as int64), shape (N,64); "


def next_token(data):
    tokens = tokens_of(data)
    return [tokens[:, :-1].contiguous()], tokens[:, 1:].contiguous()


def with_states(count):
    def make(data):
        inputs, target = next_token(data)
        return inputs + [torch.zeros(2, len(target), 24) for _ in range(count)], target

    return make


def encoder_decoder(data):
    tokens = tokens_of(data)
    return ([tokens[:, :32].contiguous(), torch.ones(len(tokens), 32, dtype=torch.int64),
             tokens[:, 32:-1].contiguous()], tokens[:, 33:].contiguous())


NEXT = TOKENS + "input_ids = tokens[:, :-1]; target = tokens[:, 1:]"

RECIPES = {
    "img16x1": pictures(16, 1),
    "img28x1": pictures(28, 1),
    "img32": pictures(32, 3),
    "img64": pictures(64, 3),
    "seg32": segmentation(32, 3),
    "seg32x1": segmentation(32, 1),
    "super16": (["digits16.npz", "digits32.npz"],
                "x = digits16 u8/255 (N,1,16,16); target = digits32 u8/255 (N,1,32,32)",
                "digits32",
                lambda data: ([unit(data["digits16"]["x"])], unit(data["digits32"]["x"]))),
    "same16": (["digits16.npz"], "x = u8/255 (float32), shape (N,1,16,16); target = x", "x",
               lambda data: ([unit(data["digits16"]["x"])], unit(data["digits16"]["x"]))),
    "two": (["digits16.npz", "digits8.npz"],
            "large = digits16 u8/255 (N,1,16,16); small = digits8 u8/255 (N,1,8,8); "
            "target = labels one-hot (10 classes) as float32", "one-hot labels",
            lambda data: ([unit(data["digits16"]["x"]), unit(data["digits8"]["x"])],
                          F.one_hot(data["digits16"]["y"], 10).float())),
    "tokens": (["digits8.npz"], NEXT, "next token", next_token),
    "tokens_labels": (["digits8.npz"],
                      "input_ids = (u8 // 16 as int64), shape (N,64); attention_mask = ones",
                      "labels",
                      lambda data: ([tokens_of(data), torch.ones(len(tokens_of(data)), 64,
                                                                 dtype=torch.int64)],
                                    data["digits8"]["y"])),
    "tokens_same": (["digits8.npz"],
                    "input_ids = (u8 // 16 as int64), shape (N,64); target = input_ids",
                    "input_ids", lambda data: ([tokens_of(data)], tokens_of(data))),
    "tokens_lstm": (["digits8.npz"], NEXT + "; hidden_0 = zeros; hidden_1 = zeros", "next token",
                    with_states(2)),
    "tokens_gru": (["digits8.npz"], NEXT + "; hidden_0 = zeros", "next token", with_states(1)),
    "tokens_t5": (["digits8.npz"],
                  TOKENS + "input_ids = tokens[:, :32]; attention_mask = ones; "
                  "decoder_input_ids = tokens[:, 32:-1]; target = tokens[:, 33:]", "next token",
                  encoder_decoder),
}
