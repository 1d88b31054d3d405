"""Reads, changes and writes .safetensors files of float32 with nothing but the standard library.

    tensors = safetensors.read(data)          # name -> array("f")
    tensors["features.0.weight"][0] *= 16
    data = safetensors.write(data, tensors)   # the same file with these values
"""

import array
import json
import struct


def _header(data):
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8:8 + length]), 8 + length


def read(data):
    """float32 tensors by name."""
    header, start = _header(data)
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            tensors[name] = array.array("f", data[start + begin:start + end])
    return tensors


def write(data, tensors):
    """`data` with its float32 tensors replaced."""
    header, start = _header(data)
    changed = bytearray(data)
    for name, values in tensors.items():
        begin, end = header[name]["data_offsets"]
        changed[start + begin:start + end] = values.tobytes()
    return bytes(changed)


def shapes(data):
    header, _ = _header(data)
    return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
