"""Moves files to and from the server: hashed, resumed after a break, checked at the end."""

from __future__ import annotations

import hashlib
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import grpc

from mantissa import _errors
from mantissa._calls import Calls
from mantissa.v1 import dataset_pb2, job_pb2

# Half of the largest chunk that the API allows.
_CHUNK_BYTES = 1 << 20

# Told of bytes there now and in all.
Progress = Callable[[int, int], None]


class Blob(NamedTuple):
    """A file on this side."""

    path: pathlib.Path
    sha256: str
    size_bytes: int


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The next `size` bytes. DataLoss if the file has become shorter."""
    while size:
        chunk = file.read(min(_CHUNK_BYTES, size))
        if not chunk:
            raise _errors.DataLoss(f"{file.name} became shorter while it was read. Try again when "
                                   "it does not change.")
        size -= len(chunk)
        yield chunk


def hash_file(path: str | os.PathLike[str]) -> Blob:
    """Reads the whole file once."""
    path = pathlib.Path(path)
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for chunk in _chunks(file, size):
            digest.update(chunk)
    return Blob(path, digest.hexdigest(), size)


class _Upload:

    def __init__(self, calls: Calls, blob: Blob, progress: Progress | None) -> None:
        self.calls, self.blob, self.progress = calls, blob, progress
        self.resumption = calls.resumption()
        self.committed = -1
        self.sent = 0
        self.local: Exception | None = None

    def _tell(self, done: int) -> None:
        if self.progress is not None:
            self.progress(done, self.blob.size_bytes)

    def _requests(self, file: BinaryIO) -> Iterator[dataset_pb2.UploadBlobRequest]:
        yield dataset_pb2.UploadBlobRequest(header=dataset_pb2.UploadBlobHeader(
            sha256=self.blob.sha256, size_bytes=self.blob.size_bytes, offset=self.committed))
        done = self.committed
        file.seek(done)
        try:
            for chunk in _chunks(file, self.blob.size_bytes - done):
                yield dataset_pb2.UploadBlobRequest(chunk=chunk)
                done += len(chunk)
                self.sent += len(chunk)
                self._tell(done)
        except Exception as error:
            # gRPC would only say that its iterator failed.
            self.local = error
            raise

    def _attempt(self) -> bool:
        """Sends what the server does not have. Returns whether it has all now."""
        there = self.calls.call(self.calls.dataset.QueryBlob, dataset_pb2.QueryBlobRequest(
            sha256=self.blob.sha256, size_bytes=self.blob.size_bytes))
        if there.committed_bytes > self.committed:
            self.resumption.progressed()
        self.committed = there.committed_bytes
        self._tell(self.committed)
        if there.complete:
            return True
        with open(self.blob.path, "rb") as file:
            response = self.calls.upload(self.calls.dataset.UploadBlob, self._requests(file))
        return bool(response.complete)

    def run(self) -> int:
        while True:
            try:
                if self._attempt():
                    return self.sent
                raise _errors.Unavailable("the upload is not complete")
            except _errors.Unavailable as error:
                self.resumption.pause(error)
            except grpc.RpcError as error:
                if self.local is not None:
                    raise self.local from None
                # The offset was taken by another upload of the same bytes: ask where to go on.
                moved = error.code() is grpc.StatusCode.OUT_OF_RANGE
                self.resumption.pause(
                    _errors.Unavailable(error.details() or "") if moved else error)


def upload(calls: Calls, blob: Blob, progress: Progress | None = None) -> int:
    """Sends what the server does not have yet and returns how many bytes travelled. Goes on after a
    break at the offset that the server tells."""
    return _Upload(calls, blob, progress).run()


def _find(calls: Calls, job: str, name: str) -> job_pb2.Artifact:
    found = calls.call(calls.job.GetJob, job_pb2.GetJobRequest(id=job))
    for artifact in found.artifacts:
        if artifact.name == name:
            if len(artifact.sha256) != 64 or artifact.sha256.strip("0123456789abcdef"):
                raise _errors.Internal(f"the server gives no SHA-256 of {name}")
            return artifact  # type: ignore[no-any-return]
    names = ", ".join(artifact.name for artifact in found.artifacts)
    raise _errors.NotFound(f"{job} has no artifact {name}; it has "
                           f"{names or 'none so far: they come when it ends'}.",
                           resource=("artifact", name))


def _receive(calls: Calls, job: str, artifact: job_pb2.Artifact, file: BinaryIO,
             progress: Progress | None) -> None:
    """Appends to `file` what is missing of the artifact."""
    resumption = calls.resumption()
    while (offset := file.tell()) < artifact.size_bytes:
        stream = calls.stream(calls.job.FetchArtifact, job_pb2.FetchArtifactRequest(
            id=job, name=artifact.name, offset=offset))
        try:
            for chunk in stream:
                file.write(chunk.data)
                resumption.progressed()
                if progress is not None:
                    progress(file.tell(), artifact.size_bytes)
            if file.tell() < artifact.size_bytes:
                raise _errors.Unavailable(f"{artifact.name} ended early")
        except (grpc.RpcError, _errors.Unavailable) as error:
            resumption.pause(error)
        finally:
            stream.cancel()


def fetch(calls: Calls, job: str, name: str, destination: pathlib.Path,
          progress: Progress | None = None) -> None:
    """Fetches an artifact to `destination`, which is replaced at once when all bytes are there and
    have the declared hash. What a broken-off fetch left beside it is taken up again."""
    artifact = _find(calls, job, name)
    part = destination.with_name(f"{destination.name}.{artifact.sha256[:12]}.part")
    if part.exists() and part.stat().st_size > artifact.size_bytes:
        part.unlink()
    with open(part, "ab") as file:
        _receive(calls, job, artifact, file, progress)
    if hash_file(part).sha256 != artifact.sha256:
        part.unlink()
        raise _errors.DataLoss(f"{name} arrived with other bytes than the server declared (SHA-256 "
                               "differs). Fetch it again.")
    os.replace(part, destination)
