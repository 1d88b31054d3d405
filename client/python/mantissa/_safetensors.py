"""Reads and writes .safetensors files: names, types, shapes and raw bytes of tensors.

    data = write({"w": Raw("F32", (2, 3), bytes(24))})
    read(data)["w"].shape    # (2, 3)

A file is eight bytes with the length of a header, the header in JSON, then the tensors' bytes, one
after the other, little-endian. `to_torch` and `of` are the ways to tensors and arrays and back.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mantissa import _errors

if TYPE_CHECKING:
    import torch

# Longest header that is read, in bytes.
_MAX_HEADER = 100_000_000

# Types by their names in the files: bytes of an element, and PyTorch's name.
_TYPES = {
    "F64": (8, "float64"), "F32": (4, "float32"), "F16": (2, "float16"), "BF16": (2, "bfloat16"),
    "I64": (8, "int64"), "I32": (4, "int32"), "I16": (2, "int16"), "I8": (1, "int8"),
    "U8": (1, "uint8"), "BOOL": (1, "bool"),
}
_NAMES = {name: key for key, (_, name) in _TYPES.items()}


class Raw(NamedTuple):
    """A tensor as it is in a file."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


def _refuse(what: str) -> _errors.DataLoss:
    return _errors.DataLoss(f"no .safetensors file: {what}. Fetch or write it again.")


def _header(data: memoryview) -> tuple[dict[str, Any], int]:
    if len(data) < 8:
        raise _refuse(f"it has {len(data)} bytes")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(_MAX_HEADER, len(data) - 8):
        raise _refuse(f"its header would have {length} bytes")
    try:
        header = json.loads(bytes(data[8:8 + length]).decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _refuse("its header is no JSON") from error
    if not isinstance(header, dict):
        raise _refuse("its header is no object")
    return header, 8 + length


def _tensor(name: str, entry: Any, body: memoryview) -> Raw:
    try:
        dtype, shape = entry["dtype"], tuple(entry["shape"])
        begin, end = entry["data_offsets"]
        size = _TYPES[dtype][0] * math.prod(shape)
        whole = all(isinstance(n, int) and n >= 0 for n in (*shape, begin, end))
    except (KeyError, TypeError, ValueError) as error:
        raise _refuse(f"the entry of {name!r} is {entry!r}") from error
    if not whole or begin + size != end or end > len(body):
        raise _refuse(f"{name!r} is {dtype} {list(shape)} at {begin} to {end} of {len(body)} bytes")
    return Raw(dtype, shape, body[begin:end])


def read(data: bytes) -> dict[str, Raw]:
    """All tensors by name. DataLoss where the bytes are no such file."""
    view = memoryview(data)
    header, start = _header(view)
    return {name: _tensor(name, entry, view[start:]) for name, entry in header.items()
            if name != "__metadata__"}


def write(tensors: Mapping[str, Raw]) -> bytes:
    """The same tensors in the same order are the same bytes."""
    header, body = {}, bytearray()
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape),
                        "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    # The tensors start at a multiple of 8.
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(body)


def to_torch(raw: Raw) -> torch.Tensor:
    """A tensor of its own, on the CPU."""
    import torch

    dtype = getattr(torch, _TYPES[raw.dtype][1])
    if not raw.data:
        return torch.empty(raw.shape, dtype=dtype)
    return torch.frombuffer(bytearray(raw.data), dtype=dtype).reshape(raw.shape)


def of(value: Any) -> Raw:
    """A PyTorch tensor or anything that numpy makes an array of. InvalidArgument for a type that
    files cannot hold."""
    if type(value).__module__.partition(".")[0] == "torch":
        import torch

        flat = value.detach().cpu().contiguous().reshape(-1)
        name = str(value.dtype).removeprefix("torch.")
        data = flat.view(torch.uint8).numpy().tobytes() if value.numel() else b""
        shape = tuple(value.shape)
    else:
        array = np.asarray(value)
        name, shape = array.dtype.name, array.shape
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    if name not in _NAMES:
        raise _errors.InvalidArgument(
            f"a tensor is of type {name}; allowed: {', '.join(_NAMES)}. Convert it.")
    return Raw(_NAMES[name], shape, data)
