"""Writes testdata/digits.npz: the first 400 of scikit-learn's handwritten digits.

    pip download --no-deps scikit-learn
    python3 tests/e2e/make_testdata.py scikit_learn-*.whl tests/e2e/testdata/digits.npz

The data are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak;
UCI Machine Learning Repository, CC BY 4.0): 8x8 pixels of 0 to 16, labels 0 to 9.
"""

import csv
import gzip
import io
import sys
import zipfile

from tests.e2e import npz

SAMPLES = 400


def main(wheel, path):
    with zipfile.ZipFile(wheel) as archive:
        table = gzip.decompress(archive.read("sklearn/datasets/data/digits.csv.gz")).decode()
    rows = [[int(float(cell)) for cell in row] for row in csv.reader(io.StringIO(table))][:SAMPLES]
    npz.write(path, {
        "images": npz.Array("|u1", (SAMPLES, 8, 8), bytes(v for row in rows for v in row[:64])),
        "labels": npz.Array("|u1", (SAMPLES,), bytes(row[64] for row in rows)),
    })


if __name__ == "__main__":
    main(*sys.argv[1:])
