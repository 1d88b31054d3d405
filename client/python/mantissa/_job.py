"""A job: followed, ended, and what it leaves."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import grpc

from mantissa import _errors, _events, _options, _plan, _safetensors, _text, _transfer
from mantissa._calls import Calls
from mantissa.v1 import job_pb2

if TYPE_CHECKING:
    import torch


class JobMemory:
    """Memory of a job's training steps: `measured` and `predicted` for the assignment in force."""

    def __init__(self, proto: job_pb2.JobMemory) -> None:
        self.proto = proto
        self.measured = _plan.StepMemory(proto.measured)
        self.predicted = _plan.StepMemory(proto.predicted)

    @property
    def baselines(self) -> dict[str, int]:
        """Peaks of the same training otherwise, in bytes; from the end of the job on."""
        return {baseline.name: baseline.peak_bytes for baseline in self.proto.baselines}

    def __str__(self) -> str:
        rows = [("measured", self.measured.peak_bytes), ("predicted", self.predicted.peak_bytes)]
        rows += [(f"in {name}", peak) for name, peak in self.baselines.items()]
        return _text.table(["PEAK", "BYTES"],
                           [(name, _text.show_bytes(peak)) for name, peak in rows], right=" r")


class Job:
    """A job on a server, from Client.submit() or Client.job(). Properties tell what was known at
    the last call; `refresh()` asks again."""

    def __init__(self, calls: Calls, proto: job_pb2.Job) -> None:
        self._calls = calls
        self.proto = proto

    @property
    def id(self) -> str:
        return self.proto.id

    @property
    def state(self) -> str:
        """pending, planning, running, succeeded, failed, cancelled."""
        return _events.STATES[self.proto.state]

    @property
    def ended(self) -> bool:
        return self.state in _events.ENDED

    @property
    def progress(self) -> job_pb2.JobProgress:
        """Step, loss, promotions and the last evaluation."""
        return self.proto.progress

    @property
    def artifacts(self) -> list[str]:
        """Names of the files that it left."""
        return [artifact.name for artifact in self.proto.artifacts]

    def refresh(self) -> Job:
        """Asks the server; returns itself."""
        self.proto = self._calls.call(self._calls.job.GetJob, job_pb2.GetJobRequest(id=self.id))
        return self

    def watch(self, after: int = 0) -> Iterator[_events.Event]:
        """What happens to the job, the past first, ending after the event that ends it. A broken
        connection is taken up again without gap or repeat. `after`: only later sequence numbers."""
        resumption = self._calls.resumption()
        while True:
            stream = self._calls.stream(self._calls.job.WatchJob, job_pb2.WatchJobRequest(
                id=self.id, after_sequence=after))
            try:
                for proto in stream:
                    if proto.sequence <= after:
                        continue  # seen before the break
                    if proto.sequence != after + 1:
                        raise _errors.DataLoss(f"the server left out the events {after + 1} to "
                                               f"{proto.sequence - 1} of {self.id}")
                    after = proto.sequence
                    resumption.progressed()
                    event = _events.from_proto(proto)
                    yield event
                    if event.ends_job:
                        return
                if self.refresh().ended and self.proto.last_sequence <= after:
                    return
                raise _errors.Unavailable("the server ended the stream before the job ended")
            except (grpc.RpcError, _errors.Unavailable) as error:
                resumption.pause(error)
            finally:
                # Also where whoever watches has seen enough.
                stream.cancel()

    def wait(self, timeout: float | None = None) -> Job:
        """Waits for the end and returns itself. JobFailed or JobCancelled where it has no result;
        TimeoutError after `timeout` seconds, and the job goes on."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = 0.05
        while not self.refresh().ended:
            left = pause if end is None else min(pause, end - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"{self.id} is {self.state} after {timeout} s")
            time.sleep(left)
            pause = min(pause * 1.5, 2.0)
        return self.check()

    def check(self) -> Job:
        """Itself, or JobFailed or JobCancelled where it is known to have ended without result."""
        if self.state == "failed":
            failure = self.proto.failure
            causes = _options.words(job_pb2.FailureCause.DESCRIPTOR)
            raise _errors.JobFailed(f"{self.id} failed: {_text.printable(failure.message)}",
                                    job=self.id, cause=causes[failure.cause].upper())
        if self.state == "cancelled":
            raise _errors.JobCancelled(f"{self.id} was cancelled", resource=("job", self.id))
        return self

    def cancel(self) -> Job:
        """Cancels it; it may take a moment to end. FailedPrecondition if it has ended otherwise."""
        self.proto = self._calls.call(self._calls.job.CancelJob,
                                      job_pb2.CancelJobRequest(id=self.id))
        return self

    def logs(self) -> str:
        """What its worker wrote so far, made safe to print."""
        request = job_pb2.GetLogsRequest(id=self.id)
        data = bytearray()
        resumption = self._calls.resumption()
        while True:
            try:
                for chunk in self._calls.stream(self._calls.job.GetLogs, request):
                    data += chunk.data
                    request.offset = chunk.next_offset
                    resumption.progressed()
                return _text.printable(data.decode("utf-8", errors="replace"))
            except grpc.RpcError as error:
                resumption.pause(error)

    def memory(self) -> JobMemory:
        """Its memory with the timeline of a step. FailedPrecondition before its first steps."""
        return JobMemory(self._calls.call(self._calls.job.GetJobMemory,
                                          job_pb2.GetJobMemoryRequest(id=self.id)))

    def fetch(self, name: str, path: str | os.PathLike[str] | None = None,
              progress: _transfer.Progress | None = None) -> pathlib.Path:
        """Fetches a file that it left to `path`: a file, or a folder, or None for the name here. A
        fetch that broke off is taken up again, and the bytes are checked."""
        destination = pathlib.Path(path if path is not None else name)
        if destination.is_dir():
            destination /= name
        _transfer.fetch(self._calls, self.id, name, destination, progress)
        return destination

    def read(self, name: str) -> bytes:
        """The bytes of a file that it left."""
        with tempfile.TemporaryDirectory() as folder:
            return self.fetch(name, pathlib.Path(folder) / "artifact").read_bytes()

    def history(self) -> list[dict[str, Any]]:
        """Every step and evaluation (docs/artifacts.md)."""
        return [json.loads(line) for line in self.read("history.jsonl").splitlines()]

    def state_dict(self, *, average: bool = False) -> dict[str, torch.Tensor]:
        """The trained weights and buffers by their names in PyTorch, tied ones under each name:
        `module.load_state_dict(job.state_dict())`. With `average` the moving average of the
        weights, where `ema_decay` was given."""
        name = "weights_ema.safetensors" if average else "weights.safetensors"
        tensors = _safetensors.read(self.read(name))
        return {key: _safetensors.to_torch(raw) for key, raw in tensors.items()}

    def __repr__(self) -> str:
        return f"<mantissa.Job {self.id}, {self.state}>"
