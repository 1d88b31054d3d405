"""What goes wrong: one family of exceptions.

    try:
        client.plan(model="builtin:resnet18", classes=10, low_ratio=1.5)
    except mantissa.InvalidArgument as error:
        error.field    # "precision.low_ratio"
        str(error)     # the server's sentence: what was given, what is allowed, what helps
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPE_URL = "type.googleapis.com/"


@dataclasses.dataclass(frozen=True)
class Violation:
    """A field of the request, or a condition that does not hold, and what is wrong with it."""

    subject: str
    description: str


class MantissaError(Exception):
    """Anything that Mantissa refuses or that became of a call.

    `code` is the name of the gRPC code ("INVALID_ARGUMENT"), `field` the path of the field that is
    wrong or None, `reason` a word for programs ("QUEUE_FULL") or "", `resource` what it is about
    ("dataset", "digits") or None.
    """

    code = "UNKNOWN"

    def __init__(self, message: str, *, field: str | None = None,
                 violations: tuple[Violation, ...] = (), reason: str = "",
                 resource: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.violations = violations
        self.reason = reason
        self.resource = resource


class InvalidArgument(MantissaError):
    """A field is out of its range, or a file cannot be read. Again after a change."""

    code = "INVALID_ARGUMENT"


class NotFound(MantissaError):
    """There is no such job, data set, model or artifact."""

    code = "NOT_FOUND"


class AlreadyExists(MantissaError):
    """The name or request id is taken by something else."""

    code = "ALREADY_EXISTS"


class FailedPrecondition(MantissaError):
    """The state forbids it, or a memory budget cannot be met: the text says what would fit."""

    code = "FAILED_PRECONDITION"


class ResourceExhausted(MantissaError):
    """A message, file, queue or disk is full."""

    code = "RESOURCE_EXHAUSTED"


class OutOfRange(MantissaError):
    """An offset is past the end."""

    code = "OUT_OF_RANGE"


class Unauthenticated(MantissaError):
    """The token is missing or wrong."""

    code = "UNAUTHENTICATED"


class Unavailable(MantissaError):
    """No server answers, after all attempts."""

    code = "UNAVAILABLE"


class DeadlineExceeded(MantissaError):
    """The server did not answer in time."""

    code = "DEADLINE_EXCEEDED"


class DataLoss(MantissaError):
    """Bytes do not have the declared hash."""

    code = "DATA_LOSS"


class Aborted(MantissaError):
    """Another call was in the way."""

    code = "ABORTED"


class Cancelled(MantissaError):
    """The call was cancelled."""

    code = "CANCELLED"


class Internal(MantissaError):
    """A fault of Mantissa's."""

    code = "INTERNAL"


class ExportError(MantissaError):
    """torch.export cannot export the module; the cause is what it said."""

    code = "INVALID_ARGUMENT"


class JobFailed(MantissaError):
    """The job ended without result. `cause` is for programs: "OUT_OF_MEMORY", for instance."""

    code = "ABORTED"

    def __init__(self, message: str, *, job: str, cause: str) -> None:
        super().__init__(message, resource=("job", job))
        self.cause = cause


class JobCancelled(MantissaError):
    """Somebody cancelled the job."""

    code = "CANCELLED"


_BY_CODE: dict[str, type[MantissaError]] = {
    kind.code: kind
    for kind in (InvalidArgument, NotFound, AlreadyExists, FailedPrecondition, ResourceExhausted,
                 OutOfRange, Unauthenticated, Unavailable, DeadlineExceeded, DataLoss, Aborted,
                 Cancelled, Internal)
}


@functools.cache
def _details() -> dict[str, Any]:
    """Classes of google.rpc's messages, by name. In a pool of their own: other packages of the
    process may have another version of them."""
    data = importlib.resources.files(__package__).joinpath("errors.binpb").read_bytes()
    pool = descriptor_pool.DescriptorPool()
    names = []
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.Add(file)
        names += [f"{file.package}.{message.name}" for message in file.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
            for name in names}


def _read_details(packed: bytes) -> dict[str, Any]:
    """Details of an error by type name. Untrusted bytes: what cannot be decoded is left out."""
    classes = _details()
    found: dict[str, Any] = {}
    try:
        status = classes["google.rpc.Status"].FromString(packed)
        for detail in status.details:
            name = detail.type_url.removeprefix(_TYPE_URL)
            if name in classes:
                found[name] = classes[name].FromString(detail.value)
    except Exception:  # pylint: disable=broad-except
        pass  # the code and the text say the most important
    return found


def _violations(details: dict[str, Any]) -> tuple[Violation, ...]:
    found = []
    if (bad := details.get("google.rpc.BadRequest")) is not None:
        found += [Violation(v.field, v.description) for v in bad.field_violations]
    for name in ("google.rpc.PreconditionFailure", "google.rpc.QuotaFailure"):
        if (failure := details.get(name)) is not None:
            found += [Violation(v.subject, v.description) for v in failure.violations]
    return tuple(found)


def _sentence(code: str, text: str, address: str) -> str:
    if code == "UNAVAILABLE":
        reason = text.removeprefix("failed to connect to all addresses; last error: ")
        return f"no server answers at {address}: {reason}"
    if code == "DEADLINE_EXCEEDED":
        return f"the server at {address} did not answer in time"
    if code == "UNIMPLEMENTED":
        return f"the server at {address} does not know this call: it is older than this package"
    return text or code


def from_rpc(error: grpc.RpcError, address: str) -> MantissaError:
    """What a call ended with, as one of the family."""
    code = error.code().name
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    details = _read_details(packed)
    bad = details.get("google.rpc.BadRequest")
    info = details.get("google.rpc.ErrorInfo")
    resource = details.get("google.rpc.ResourceInfo")
    result = _BY_CODE.get(code, MantissaError)(
        _sentence(code, error.details() or "", address),
        field=bad.field_violations[0].field if bad is not None and bad.field_violations else None,
        violations=_violations(details), reason=info.reason if info is not None else "",
        resource=(resource.resource_type, resource.resource_name) if resource is not None else None)
    result.code = code
    return result


def is_break(error: grpc.RpcError) -> bool:
    """Whether a stream that ended so can be taken up again: the connection was lost, or the server
    went away."""
    code, text = error.code().name, error.details() or ""
    return code in ("UNAVAILABLE", "ABORTED", "CANCELLED") or (
        code in ("INTERNAL", "UNKNOWN") and ("RST_STREAM" in text or "Stream removed" in text))
