"""Generates the stubs of the API when the package is built.

mantissa/v1/*.py come from proto/mantissa/v1, and mantissa/errors.binpb describes google.rpc's
messages, in which errors tell their details.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any

from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _find(root: pathlib.Path, in_tree: str, in_archive: str) -> pathlib.Path:
    """A folder of .proto files: in Mantissa's tree, or in an archive of these sources."""
    places = [root / ".." / ".." / in_tree, root / in_archive]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the .proto files are in none of {', '.join(map(str, places))}")


def _include(folder: pathlib.Path) -> str:
    return f"--proto_path={folder}"


def _run(*arguments: str) -> None:
    well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    if protoc.main(["protoc", f"--proto_path={well_known}", *arguments]):
        raise RuntimeError(f"protoc failed: {' '.join(arguments)}")


class StubsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds what is generated to the wheel; the source tree stays as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            raise RuntimeError("the stubs would be missing: install without --editable")
        root = pathlib.Path(self.root)
        self._scratch = tempfile.TemporaryDirectory()
        out = pathlib.Path(self._scratch.name)
        api = _find(root, "proto", "proto")
        names = sorted(str(path) for path in (api / "mantissa" / "v1").glob("*.proto"))
        _run(_include(api), f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}",
             *names)
        rpc = _find(root, "third_party/googleapis", "proto")
        _run(_include(rpc), "--include_imports", f"--descriptor_set_out={out / 'errors.binpb'}",
             str(rpc / "google/rpc/status.proto"), str(rpc / "google/rpc/error_details.proto"))
        (out / "mantissa" / "v1" / "__init__.py").write_text(
            '"""Messages and stubs of the API, as in proto/mantissa/v1."""\n', encoding="utf-8")
        build_data["force_include"].update({
            str(out / "mantissa" / "v1"): "mantissa/v1",
            str(out / "errors.binpb"): "mantissa/errors.binpb",
        })

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self._scratch.cleanup()
