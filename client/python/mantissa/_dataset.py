"""Finds out which files a data set is made of.

What it is given may be a file, a list of files, a folder, or arrays by name. A folder of images by
class becomes one .tar, arrays become one .npz; the same content is the same bytes, so that nothing
is sent twice. Whether the bytes are what they seem is for the server to say.
"""

from __future__ import annotations

import os
import pathlib
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mantissa import _errors, _safetensors

Arrays = Mapping[str, Any]
Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Arrays

_IMAGES = (".jpg", ".jpeg", ".png")
# The same content is the same bytes at any time.
_DATE = (1980, 1, 1, 0, 0, 0)


def _array(name: str, value: Any) -> np.ndarray[Any, Any]:
    if type(value).__module__.partition(".")[0] == "torch":
        raw = _safetensors.of(value)
        if raw.dtype == "BF16":
            value = value.float()
        value = value.detach().cpu().numpy()
    array = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise _errors.InvalidArgument(
            f"the array {name!r} has the type {array.dtype}; allowed: numbers and booleans. "
            "Convert it, labels to class numbers for instance.", field=name)
    return array


def write_npz(path: pathlib.Path, arrays: Arrays) -> None:
    """As numpy.savez, but without the time."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, _array(name, value), allow_pickle=False)


def _write_tar(path: pathlib.Path, folder: pathlib.Path, names: Iterable[str]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = (folder / name).stat().st_size
            with open(folder / name, "rb") as file:
                archive.addfile(entry, file)


def _is_hidden(path: pathlib.Path, folder: pathlib.Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _in_folder(folder: pathlib.Path, scratch: pathlib.Path) -> dict[str, pathlib.Path]:
    """Images in folders of their own become one .tar; else every file of the folder itself."""
    images = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")
                    if path.suffix.lower() in _IMAGES and path.parent != folder
                    and path.is_file() and not _is_hidden(path, folder))
    if images:
        _write_tar(scratch / "images.tar", folder, images)
        return {"images.tar": scratch / "images.tar"}
    files = sorted(path for path in folder.iterdir()
                   if path.is_file() and not path.name.startswith("."))
    if not files:
        raise _errors.InvalidArgument(
            f"{folder} has no files; give a folder of images by class, or one with the files of a "
            "data set.", field="files")
    return {path.name: path for path in files}


def gather(data: Files, scratch: pathlib.Path) -> dict[str, pathlib.Path]:
    """Paths of the files of a data set, by their names in it. What has to be written is in
    `scratch`."""
    if isinstance(data, Mapping):
        write_npz(scratch / "arrays.npz", data)
        return {"arrays.npz": scratch / "arrays.npz"}
    if isinstance(data, (str, os.PathLike)):
        path = pathlib.Path(data)
        if path.is_dir():
            return _in_folder(path, scratch)
        return {path.name: path}
    paths = [pathlib.Path(entry) for entry in data]
    if len({path.name for path in paths}) < len(paths):
        raise _errors.InvalidArgument(
            "two files have the same name; a data set has each name once.", field="files")
    return {path.name: path for path in paths}
