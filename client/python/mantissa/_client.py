"""A connection to a Mantissa server."""

from __future__ import annotations

import os
import pathlib
import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mantissa import (_channel, _dataset, _options, _plan, _retry, _safetensors, _text,
                      _transfer)
from mantissa._calls import Calls
from mantissa._job import Job
from mantissa.v1 import common_pb2, dataset_pb2, job_pb2, model_pb2, planner_pb2, server_pb2

if TYPE_CHECKING:
    from typing_extensions import Unpack

# During CreateDataset and CreateModel a worker reads all the files. Seconds.
_CREATE_TIMEOUT = 900.0


def _is_file(model: str | os.PathLike[str]) -> bool:
    """Whether a model is given as a file; names of models have no such ending."""
    return not isinstance(model, str) or "/" in model or model.endswith((".pt2", ".onnx", ".pt"))


def _file_name(blob: _transfer.Blob) -> str:
    """For people; at most 1,024 bytes, and no control characters."""
    shown = _text.printable(blob.path.name).encode("utf-8", errors="replace")[:1024]
    return shown.decode("utf-8", errors="ignore")


def _name_of(blob: _transfer.Blob) -> str:
    """A model's name made of its file's and its hash, the same as the command mantissa makes."""
    stem = re.sub(r"[^a-z0-9_.-]", "-", blob.path.stem.lower())
    return f"{re.sub('^[^a-z0-9]+', '', stem)[:55] or 'model'}-{blob.sha256[:8]}"


class Client:
    """A connection to a Mantissa server. Thread-safe; a context manager that closes it.

        with mantissa.Client("127.0.0.1:7070") as client:
            job = client.submit(model="builtin:resnet18", dataset="digits", low_ratio=0.5)
            job.wait()

    `address` is HOST:PORT or unix:PATH (default: $MANTISSA_SERVER, else 127.0.0.1:7070), `token`
    what the server wants to see (default: $MANTISSA_TOKEN), sent unencrypted to this machine only.
    `tls_ca` encrypts, and accepts only a server whose certificate comes from those in this PEM file
    (or PEM bytes; default: $MANTISSA_TLS_CA); `tls=True` encrypts with publicly known
    certificates. `timeout` is for one call that is no stream, in seconds. `retry` says how calls
    are repeated while the server is away.

    It does not connect before the first call. Every error is a MantissaError.
    """

    def __init__(self, address: str | None = None, *, token: str | None = None,
                 tls_ca: str | os.PathLike[str] | bytes | None = None, tls: bool = False,
                 timeout: float = 30.0, retry: _retry.Retry = _retry.Retry()) -> None:
        if address is None:
            address = os.environ.get("MANTISSA_SERVER") or _channel.DEFAULT_ADDRESS
        if token is None:
            token = os.environ.get("MANTISSA_TOKEN", "")
        if tls_ca is None:
            tls_ca = os.environ.get("MANTISSA_TLS_CA") or None
        self._calls = Calls(address, token=token, tls_ca=tls_ca, tls=tls, timeout=timeout,
                            retry=retry)

    def close(self) -> None:
        """Ends the connection; calls that go on are cancelled."""
        self._calls.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def info(self) -> server_pb2.ServerInfo:
        """Version, limits and load of the server."""
        return self._calls.call(self._calls.server.GetServerInfo,  # type: ignore[no-any-return]
                                server_pb2.GetServerInfoRequest())

    def _pages(self, method: Any, request: Any) -> Iterator[Any]:
        while True:
            page = self._calls.call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    # Models.

    def models(self) -> list[model_pb2.Model]:
        """Built-in and uploaded models."""
        return [model for page in self._pages(self._calls.model.ListModels,
                                              model_pb2.ListModelsRequest())
                for model in page.models]

    def describe_model(self, model: str | os.PathLike[str], *, loss: str | None = None,
                       **options: Unpack[_options.ModelOptions]) -> model_pb2.GetModelResponse:
        """A model's operators, parameters, inputs and outputs, and what the planner does not
        know of it."""
        request = model_pb2.GetModelRequest()
        request.spec.model = self._named(model)
        if loss is not None:
            request.loss = _options.enum_number(common_pb2.Loss.DESCRIPTOR, "loss", loss)
        _options.fill([(_options.ModelOptions, request.spec)], options)
        return self._calls.call(self._calls.model.GetModel,  # type: ignore[no-any-return]
                                request)

    def push_model(self, name: str, path: str | os.PathLike[str], *,
                   progress: _transfer.Progress | None = None,
                   allow_torchscript: bool = False) -> model_pb2.Model:
        """Uploads an archive of `mantissa.export` under a name. A file that the server has is not
        sent again; one that broke off goes on where it was. InvalidArgument says why a model cannot
        be trained. `progress` is told of bytes there and in all."""
        blob = _transfer.hash_file(path)
        _transfer.upload(self._calls, blob, progress)
        return self._create_model(name, blob, allow_torchscript)

    def _create_model(self, name: str, blob: _transfer.Blob, allow_torchscript: bool = False
                      ) -> model_pb2.Model:
        return self._calls.call(  # type: ignore[no-any-return]
            self._calls.model.CreateModel, model_pb2.CreateModelRequest(
                name=name, sha256=blob.sha256, size_bytes=blob.size_bytes,
                file_name=_file_name(blob), allow_torchscript=allow_torchscript),
            timeout=max(_CREATE_TIMEOUT, self._calls.timeout))

    def delete_model(self, name: str) -> None:
        """Deletes an uploaded model. FailedPrecondition while a job uses it."""
        self._calls.call(self._calls.model.DeleteModel, model_pb2.DeleteModelRequest(name=name),
                         repeatable=False)

    def _named(self, model: str | os.PathLike[str]) -> str:
        """Name of a model; a file is uploaded under a name made of its own and its hash."""
        if not _is_file(model):
            return str(model)
        blob = _transfer.hash_file(model)
        _transfer.upload(self._calls, blob)
        return self._create_model(_name_of(blob), blob).name

    # Data sets.

    def datasets(self) -> list[dataset_pb2.Dataset]:
        """All data sets, by name."""
        return [dataset for page in self._pages(self._calls.dataset.ListDatasets,
                                                dataset_pb2.ListDatasetsRequest())
                for dataset in page.datasets]

    def dataset(self, name: str) -> dataset_pb2.Dataset:
        """One data set. NotFound if there is none of that name."""
        return self._calls.call(self._calls.dataset.GetDataset,  # type: ignore[no-any-return]
                                dataset_pb2.GetDatasetRequest(name=name))

    def push_dataset(self, name: str, data: _dataset.Files, *,
                     progress: _transfer.Progress | None = None,
                     **options: Unpack[_options.DatasetOptions]) -> dataset_pb2.Dataset:
        """Uploads data under a name: a file, a list of files, a folder, or arrays by name.

            client.push_dataset("digits", {"x": images, "y": labels}, test_fraction=0.1)

        Arrays may be numpy's or PyTorch's, the first dimension that of the samples;
        docs/datasets.md says which names and shapes are understood, and `inputs` and `target` name
        others. The same bytes are not sent again. `progress` is told, for each file, of bytes
        there and in all.
        """
        request = _options.dataset_request(name, options)
        with tempfile.TemporaryDirectory() as scratch:
            for file_name, path in _dataset.gather(data, pathlib.Path(scratch)).items():
                blob = _transfer.hash_file(path)
                _transfer.upload(self._calls, blob, progress)
                request.files.add(name=file_name, sha256=blob.sha256, size_bytes=blob.size_bytes)
        return self._calls.call(self._calls.dataset.CreateDataset,  # type: ignore[no-any-return]
                                request, timeout=max(_CREATE_TIMEOUT, self._calls.timeout))

    def delete_dataset(self, name: str) -> None:
        """Deletes a data set. FailedPrecondition while a job uses it."""
        self._calls.call(self._calls.dataset.DeleteDataset,
                         dataset_pb2.DeleteDatasetRequest(name=name), repeatable=False)

    # Plans and jobs.

    def plan(self, model: str | os.PathLike[str], *, reasons: bool = False,
             **options: Unpack[_options.PlanOptions]) -> _plan.Plan:
        """The precision of every tensor of a training, and the memory of a step, without training.

            print(client.plan("builtin:resnet18", classes=10, memory="2GiB"))

        `model` is a name or an archive's path. With `reasons` each row says why.
        FailedPrecondition says by how much a memory budget is missed and what would fit.
        """
        request = _options.plan_request(self._named(model), options)
        if not reasons:
            return _plan.Plan(self._calls.call(self._calls.planner.Plan, request).plan)
        explained = self._calls.call(self._calls.planner.Explain,
                                     planner_pb2.ExplainRequest(plan=request))
        return _plan.Plan(explained.plan, tuple(entry.reason for entry in explained.tensors))

    def submit(self, model: str | os.PathLike[str], dataset: str, *, name: str = "",
               labels: Mapping[str, str] | None = None, max_retries: int | None = None,
               request_id: str | None = None, **options: Unpack[_options.JobOptions]) -> Job:
        """Submits a training and returns at once.

            client.submit("net.pt2", "digits", low_ratio=0.5, epochs=5, freeze=["stem.*"])

        `model` is a name, or the path of an archive, which is then uploaded once. The options are
        the fields of the API's messages; what is left out has the server's default. The call is
        safe to repeat and is repeated: with the same `request_id` (default: a new one) the same job
        is returned.
        """
        keywords: dict[str, Any] = dict(options)
        if keywords.get("init") is not None:
            keywords["init"] = self._push_weights(keywords["init"])
        spec = _options.job_spec(self._named(model), dataset, keywords)
        spec.name = name
        spec.labels.update(labels or {})
        if max_retries is not None:
            spec.max_retries = max_retries
        request = job_pb2.SubmitJobRequest(spec=spec, request_id=request_id or uuid.uuid4().hex)
        return Job(self._calls, self._calls.call(self._calls.job.SubmitJob, request))

    def _push_weights(self, init: str | os.PathLike[str] | Mapping[str, Any]) -> str:
        """SHA-256 of weights that were uploaded."""
        with tempfile.TemporaryDirectory() as scratch:
            if isinstance(init, Mapping):
                path = pathlib.Path(scratch) / "init.safetensors"
                path.write_bytes(_safetensors.write(
                    {name: _safetensors.of(value) for name, value in init.items()}))
                init = path
            blob = _transfer.hash_file(init)
            _transfer.upload(self._calls, blob)
            return blob.sha256

    def job(self, id: str) -> Job:  # pylint: disable=redefined-builtin
        """A job by its id. NotFound if there is none."""
        return Job(self._calls, self._calls.call(self._calls.job.GetJob,
                                                 job_pb2.GetJobRequest(id=id)))

    def jobs(self, *, states: tuple[str, ...] = (), labels: Mapping[str, str] | None = None,
             name_prefix: str = "") -> Iterator[Job]:
        """Jobs, the newest first; only those in one of the states ("running") and with all the
        labels."""
        request = job_pb2.ListJobsRequest(labels=labels or {}, name_prefix=name_prefix)
        request.states.extend(_options.enum_number(job_pb2.JobState.DESCRIPTOR, "states", word)
                              for word in states)
        for page in self._pages(self._calls.job.ListJobs, request):
            for job in page.jobs:
                yield Job(self._calls, job)

    def __repr__(self) -> str:
        return f"<mantissa.Client of {self._calls.address}>"
