"""Reads and writes .npz files with nothing but the standard library.

    npz.write("two.npz", {"labels": npz.Array("|u1", (2,), bytes([3, 7]))})
    npz.read("two.npz")["labels"].shape   # (2,)

Arrays are little-endian in C order.
"""

import ast
import collections
import struct
import zipfile

# dtype as NumPy writes it ("|u1", "<f4", "<i8"), shape, the bytes.
Array = collections.namedtuple("Array", "dtype shape data")

_MAGIC = b"\x93NUMPY\x01\x00"
# The same bytes at any time, so that the same arrays are the same file.
_DATE = (1980, 1, 1, 0, 0, 0)


def npy(array):
    header = str({"descr": array.dtype, "fortran_order": False, "shape": tuple(array.shape)})
    length = len(_MAGIC) + 2 + len(header) + 1
    header += " " * (-length % 64) + "\n"
    return _MAGIC + struct.pack("<H", len(header)) + header.encode() + array.data


def write(path, arrays):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy", _DATE), npy(array),
                             zipfile.ZIP_DEFLATED)


def read(path):
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            raw = archive.read(name)
            (length,) = struct.unpack_from("<H", raw, len(_MAGIC))
            start = len(_MAGIC) + 2
            header = ast.literal_eval(raw[start:start + length].decode())
            arrays[name[:-len(".npy")]] = Array(header["descr"], header["shape"],
                                                raw[start + length:])
    return arrays
