"""Mantissa: trains PyTorch models on a server with mixed-precision floating-point assignments.

    import mantissa

    mantissa.export(net, example, "net.pt2")
    with mantissa.Client("127.0.0.1:7070") as client:
        client.push_dataset("mine", {"x": images, "y": labels})
        job = client.submit("net.pt2", "mine", low_ratio=0.5, epochs=5)
        for event in job.watch():
            print(event)
        net.load_state_dict(job.state_dict())

`mantissa.v1` has the messages of the API, which `.proto` of plans, jobs and events are.
"""

from mantissa._client import Client
from mantissa._errors import (Aborted, AlreadyExists, Cancelled, DataLoss, DeadlineExceeded,
                              ExportError, FailedPrecondition, Internal, InvalidArgument,
                              JobCancelled, JobFailed, MantissaError, NotFound, OutOfRange,
                              ResourceExhausted, Unauthenticated, Unavailable, Violation)
from mantissa._events import Event
from mantissa._export import export
from mantissa._job import Job, JobMemory
from mantissa._plan import MemoryRow, Plan, PlanRow, StepMemory
from mantissa._retry import Retry

__all__ = [
    "Aborted", "AlreadyExists", "Cancelled", "Client", "DataLoss", "DeadlineExceeded", "Event",
    "ExportError", "FailedPrecondition", "Internal", "InvalidArgument", "Job", "JobCancelled",
    "JobFailed", "JobMemory", "MantissaError", "MemoryRow", "NotFound", "OutOfRange", "Plan",
    "PlanRow", "ResourceExhausted", "Retry", "StepMemory", "Unauthenticated", "Unavailable",
    "Violation", "export",
]
