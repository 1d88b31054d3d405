"""What happens to a job, one event after the other."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

from mantissa import _options, _text
from mantissa.v1 import job_pb2

STATES = _options.words(job_pb2.JobState.DESCRIPTOR)
ENDED = ("succeeded", "failed", "cancelled")


def _state(change: job_pb2.StateChanged) -> str:
    failure = f": {change.failure.message}" if change.HasField("failure") else ""
    return STATES[change.to] + failure


def _step(step: job_pb2.StepDone) -> str:
    skipped = ", skipped: a gradient was not finite" if step.skipped else ""
    return (f"step {step.step}/{step.total_steps}, epoch {step.epoch}: loss "
            f"{step.loss_unrounded:.6g}, lr {step.learning_rate:.6g}, loss scale "
            f"{step.loss_scale:.6g}, low {step.ratio_low_bits:.1%}{skipped}")


def _promotions(promoted: job_pb2.TensorsPromoted) -> str:
    names = ", ".join(f"{tensor.name} (overflow {tensor.overflow_ratio:.1%})"
                      for tensor in promoted.tensors)
    return f"promoted after step {promoted.step}: {names}"


def _evaluation(result: job_pb2.Evaluation) -> str:
    def text(accuracy: float | None, loss: float) -> str:
        return ("" if accuracy is None else f"accuracy {accuracy:.1%}, ") + f"loss {loss:.6g}"

    here = result.accuracy if result.HasField("accuracy") else None
    fp32 = result.accuracy_fp32 if result.HasField("accuracy_fp32") else None
    return (f"evaluated after epoch {result.epoch}: {text(here, result.loss)}; in fp32 "
            f"{text(fp32, result.loss_fp32)}")


def _planned(plan: Any) -> str:
    return (f"planned {plan.total_elements:,} elements in {len(plan.groups)} groups, "
            f"{plan.ratio_low_groups:.1%} of them low; a step is predicted to need "
            f"{_text.show_bytes(plan.memory.peak_bytes)}")


def _memory(memory: job_pb2.JobMemory) -> str:
    return (f"a step needed {_text.show_bytes(memory.measured.peak_bytes)} of tensors at its peak, "
            f"predicted {_text.show_bytes(memory.predicted.peak_bytes)}")


_TEXTS: dict[str, Callable[[Any], str]] = {
    "state_changed": _state,
    "step_done": _step,
    "tensors_promoted": _promotions,
    "evaluated": _evaluation,
    "planned": _planned,
    "notice": lambda notice: str(notice.message),
    "memory_measured": _memory,
}


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    `kind` is the name of one of JobEvent's fields: state_changed, step_done, tensors_promoted,
    evaluated, planned, notice, memory_measured. `detail` is the message that it has: `detail.loss`
    of a step_done, for instance. `str(event)` is a line for people.
    """

    sequence: int
    time: datetime.datetime
    attempt: int
    kind: str
    detail: Any

    def __str__(self) -> str:
        text = _TEXTS.get(self.kind)
        return _text.printable(text(self.detail) if text else self.kind)

    @property
    def ends_job(self) -> bool:
        """Whether it is the last one."""
        return self.kind == "state_changed" and STATES[self.detail.to] in ENDED


def from_proto(event: job_pb2.JobEvent) -> Event:
    # Empty for a kind that a newer server has.
    kind = event.WhichOneof("event") or ""
    return Event(event.sequence, event.time.ToDatetime(tzinfo=datetime.timezone.utc), event.attempt,
                 kind, getattr(event, kind) if kind else None)
