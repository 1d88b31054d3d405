#!/usr/bin/env python3
"""Writes scikit-learn's handwritten digits to a .npz file that `mantissa dataset push` takes.

  deploy/digits.py digits.npz

1,797 real images of 8x8, scaled to 3x32x32 (bilinear, the gray value in all three channels), since
the built-in networks want at least 32x32. The file has `images` (uint8) and `labels`; the split is
made when it is pushed. Needs nothing but Python: the digits come out of scikit-learn's wheel
(third_party/scikit_learn), which is downloaded once.
"""

import gzip
import os
import struct
import subprocess
import sys
import zipfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FACTOR, SIDE = 4, 8


def digits_csv():
    """Path of the digits in an unpacked wheel, whose hash pip has checked."""
    cache = os.environ.get("MANTISSA_CACHE") or os.path.expanduser("~/.cache/mantissa")
    folder = subprocess.run(
        [sys.executable, os.path.join(ROOT, "third_party/wheels/fetch.py"), "--cache", cache,
         "--lock", os.path.join(ROOT, "third_party/scikit_learn/requirements.lock"),
         "--keep", "sklearn/datasets/data/digits.csv.gz=./"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return os.path.join(folder, "digits.csv.gz")


def taps():
    """Of each of the 32 places: the two neighbours and the second's weight in eighths."""
    for place in range(FACTOR * SIDE):
        eighths = min(max(2 * place + 1 - FACTOR, 0), 8 * (SIDE - 1))  # half-pixel centres
        low = min(eighths // 8, SIDE - 2)
        yield low, low + 1, eighths - 8 * low


def enlarge(image):
    """Rows of 8 values 0 to 16, as bytes of 32 by 32."""
    wide = [[(8 - w) * row[a] + w * row[b] for a, b, w in taps()] for row in image]
    return bytes((((8 - w) * p + w * q) * 255 + 512) // 1024
                 for a, b, w in taps() for p, q in zip(wide[a], wide[b]))


def npy(dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: digits.py FILE.npz")
    images, labels = [], []
    with gzip.open(digits_csv(), "rt") as lines:
        for line in lines:
            *pixels, label = [int(float(value)) for value in line.split(",")]
            images.append(enlarge([pixels[i:i + SIDE] for i in range(0, SIDE * SIDE, SIDE)]) * 3)
            labels.append(label)
    count, side = len(labels), FACTOR * SIDE
    with zipfile.ZipFile(sys.argv[1] + ".tmp", "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed time: the same bytes on every machine, so that a second push uploads nothing.
        for name, content in [("images.npy", npy("|u1", (count, 3, side, side), b"".join(images))),
                              ("labels.npy", npy("|u1", (count,), bytes(labels)))]:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    os.replace(sys.argv[1] + ".tmp", sys.argv[1])
    print("%s: %d images of 3x%dx%d in %d classes" % (sys.argv[1], count, side, side,
                                                     len(set(labels))))


if __name__ == "__main__":
    main()
