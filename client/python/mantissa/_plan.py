"""A plan: which tensor gets how many bits, and what memory that needs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mantissa import _options, _text
from mantissa.v1 import common_pb2, planner_pb2

if TYPE_CHECKING:
    import pandas


class PlanRow(NamedTuple):
    """A tensor of a training."""

    group: int
    tensor: str  # for activations the operator's name, for parameters the parameter's
    kind: str  # activation, parameter, activation_gradient, parameter_gradient
    elements: int  # at the batch size
    format: str  # fp32, bf16, fp(6,9,0), fp(4,3,4), fp(5,2,0)
    low: bool  # whether its group is low
    reason: str  # a sentence for people, where reasons were asked for; else ""


class MemoryRow(NamedTuple):
    """The most memory while one operator of a step ran, in bytes by what it is for."""

    phase: str  # forward, recompute, backward, update
    operator: str  # "" in the update
    masters: int
    weights: int
    activations: int
    gradients: int
    optimizer: int
    workspace: int
    total: int


def _to_pandas(rows: Sequence[Any], kind: Any) -> pandas.DataFrame:
    import pandas

    return pandas.DataFrame(rows, columns=kind._fields)


class StepMemory:
    """Memory of a training step, predicted or measured."""

    def __init__(self, proto: common_pb2.StepMemory) -> None:
        self.proto = proto

    @property
    def peak_bytes(self) -> int:
        """The most tensor bytes at one time."""
        return self.proto.peak_bytes

    @functools.cached_property
    def timeline(self) -> list[MemoryRow]:
        """Operator by operator; empty where only the peak was asked for."""
        phases = _options.words(common_pb2.StepPhase.DESCRIPTOR)
        return [MemoryRow(phases[point.phase], point.operator,
                          *(getattr(point.bytes, name) for name in MemoryRow._fields[2:]))
                for point in self.proto.timeline]

    def to_pandas(self) -> pandas.DataFrame:
        """The timeline as a pandas.DataFrame."""
        return _to_pandas(self.timeline, MemoryRow)


@dataclasses.dataclass(frozen=True)
class Plan:
    """An assignment of formats to all tensors of a training.

    `print(plan)` shows a table, `rows` and `to_pandas()` have every tensor, `proto` has everything
    (planner.proto).
    """

    proto: planner_pb2.Plan
    reasons: tuple[str, ...] = ()

    @functools.cached_property
    def rows(self) -> list[PlanRow]:
        """Every tensor, by group."""
        kinds = _options.words(planner_pb2.TensorKind.DESCRIPTOR)
        low = {group.id: group.low for group in self.proto.groups}
        reasons = self.reasons or [""] * len(self.proto.tensors)
        return [PlanRow(tensor.group, tensor.name, kinds[tensor.kind], tensor.elements,
                        tensor.format, low.get(tensor.group, False), reason)
                for tensor, reason in zip(self.proto.tensors, reasons)]

    @property
    def low_ratio(self) -> float:
        """Share of elements in low groups; under a memory budget the one that was chosen."""
        return self.proto.ratio_low_groups

    @property
    def peak_bytes(self) -> int:
        """The most tensor bytes of a step, as predicted."""
        return self.proto.memory.peak_bytes

    @property
    def memory(self) -> StepMemory:
        """Predicted memory of a step."""
        return StepMemory(self.proto.memory)

    @property
    def baselines(self) -> dict[str, int]:
        """Predicted peaks of the same training otherwise, in bytes: "fp32", "16-bit", ..."""
        return {baseline.name: baseline.peak_bytes for baseline in self.proto.baselines}

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a pandas.DataFrame."""
        return _to_pandas(self.rows, PlanRow)

    def __str__(self) -> str:
        rows = self.rows
        titles = ["GROUP", "TENSOR", "KIND", "ELEMENTS", "FORMAT"]
        cells = [[str(row.group), row.tensor, row.kind.replace("_", " "), f"{row.elements:,}",
                  row.format] for row in rows]
        if self.reasons:
            titles.append("REASON")
            cells = [line + [row.reason] for line, row in zip(cells, rows)]
        return _text.table(titles, cells, right="r  r") + "\n" + self._summary()

    def _summary(self) -> str:
        plan = self.proto
        share = f"{plan.bits / plan.bits_fp32:.1%} of fp32" if plan.bits_fp32 else "no tensors"
        peaks = "".join(f", {_text.show_bytes(peak)} in {name}"
                        for name, peak in self.baselines.items())
        return (f"{plan.model.model}, batch size {plan.batch_size}: {self.low_ratio:.1%} of the "
                f"elements in low groups, {share}\n"
                f"predicted peak {_text.show_bytes(self.peak_bytes)}{peaks}\n")

    def __repr__(self) -> str:
        return (f"<mantissa.Plan of {self.proto.model.model}: {len(self.proto.tensors)} tensors, "
                f"low ratio {self.low_ratio:.3f}, peak {_text.show_bytes(self.peak_bytes)}>")
