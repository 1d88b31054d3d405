"""What is asked for: keyword arguments to messages.

Each keyword is a field of the API's messages (ModelSpec, PrecisionSpec, TrainingSpec in
proto/mantissa/v1, which say units, ranges and defaults). Enumerations are words: `"sgd"`,
`"cross_entropy"`. What is left out has the server's default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, TypedDict

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from mantissa import _errors, _text
from mantissa.v1 import common_pb2, dataset_pb2, job_pb2, planner_pb2


class ModelOptions(TypedDict, total=False):
    """Of the model: fields of ModelSpec."""

    width: float  # of the channels of a built-in model
    classes: int
    input_shape: Sequence[int]  # of one sample, [C, H, W]
    freeze: Sequence[str]  # patterns of names of parameters that are not trained: "encoder.*"
    sha256: str  # of an uploaded model's file


class PrecisionOptions(TypedDict, total=False):
    """Of the precision: fields of PrecisionSpec."""

    policy: str  # none, demotion, uniform, operator, autocast, increasing, random, explicit, budget
    low_ratio: float  # share of elements in low precision, 0 to 1
    memory: int | str  # most tensor bytes of a step: "8GiB"; chooses the low ratio
    recompute: str  # auto, none, cheap
    promotion_threshold: float
    rounding: str  # nearest_even, nearest_away, stochastic, reference
    storage: str  # packed, emulated
    recipe: str  # paper, bf16
    low_groups: Sequence[int]  # of the policy explicit
    policy_seed: int  # of the policy random


class LossOptions(TypedDict, total=False):
    """Of the training, as far as a plan depends on it."""

    batch_size: int
    optimizer: str  # sgd, adamw
    optimizer_state: str  # fp32, bf16, int8
    loss: str  # cross_entropy, nll, mse, bce
    label_smoothing: float
    ignore_index: int
    accumulate_batches: int
    clip_norm: float
    ema_decay: float


class TrainingOptions(LossOptions, total=False):
    """Of the training: fields of TrainingSpec."""

    epochs: int
    steps: int
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: str  # cosine, step, constant
    schedule_epochs: int
    step_epochs: int
    step_gamma: float
    warmup_epochs: int
    loss_scale: float
    dynamic_loss_scale: bool
    seed: int
    shuffle: str  # epoch, none
    augment: str  # none, crop_flip, crop, flip, resized_crop, resized_crop_flip
    crop_padding: int
    crop_min_area: float
    mixup_alpha: float
    evaluate_every: int
    threads: int
    loader_threads: int
    # Weights to start from: a .safetensors file, or a state dict of tensors or arrays.
    init: str | os.PathLike[str] | Mapping[str, Any]


class PlanOptions(ModelOptions, PrecisionOptions, LossOptions, total=False):
    """Keyword arguments of Client.plan()."""


class JobOptions(ModelOptions, PrecisionOptions, TrainingOptions, total=False):
    """Keyword arguments of Client.submit()."""


class ReadOptions(TypedDict, total=False):
    """How the files of a data set are read: fields of ReadOptions."""

    format: str  # cifar10, cifar100, idx, npz, image-folder, safetensors, tokens, webdataset
    inputs: Sequence[str]  # names of the arrays that are a sample's inputs, in the model's order
    target: str  # name of the array of targets
    sequence_length: int
    sequence_stride: int
    vocabulary: int
    token_bytes: int
    image_size: Sequence[int]
    ignore_index: int


class SplitOptions(TypedDict, total=False):
    """How a data set is split and normalised: fields of CreateDatasetRequest."""

    test_fraction: float
    split_seed: int
    mean: Sequence[float]
    stddev: Sequence[float]


class DatasetOptions(ReadOptions, SplitOptions, total=False):
    """Keyword arguments of Client.push_dataset()."""


# Keywords with another name than their field.
_RENAMED = {"memory": "memory_bytes", "policy_seed": "seed"}


def words(enum: Any) -> dict[int, str]:
    """Words of an enumeration's values by number: "cross_entropy" for LOSS_CROSS_ENTROPY."""
    # LOSS_UNSPECIFIED tells the prefix of all.
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.number: value.name.removeprefix(prefix).lower() for value in enum.values}


def enum_number(enum: Any, keyword: str, word: Any) -> Any:
    """The value of a word; `keyword` is for errors."""
    known = {name: number for number, name in words(enum).items() if number}
    found = known.get(str(word).lower().replace("-", "_"))
    if found is None:
        raise _errors.InvalidArgument(
            f"{keyword} is {word!r}; allowed: {', '.join(known)}.{_text.nearest(str(word), known)}",
            field=keyword)
    return found


def _set(message: Any, field: FieldDescriptor, keyword: str, value: Any) -> None:
    if keyword == "memory":
        value = _text.parse_bytes(value, keyword)
    elif field.enum_type is not None:
        value = enum_number(field.enum_type, keyword, value)
    present = getattr(message, field.name)
    try:
        if isinstance(present, MutableSequence):
            present.extend([value] if isinstance(value, str) else value)
        else:
            setattr(message, field.name, value)
    except (TypeError, ValueError) as error:
        raise _errors.InvalidArgument(f"{keyword} is {value!r}: {error}", field=keyword) from error


def fill(parts: Sequence[tuple[type, Any]], keywords: Mapping[str, Any]) -> None:
    """Sets fields of messages from keyword arguments.

    Each of `parts` is a TypedDict and the message whose fields its keywords are. None is as if the
    keyword were left out. TypeError for a keyword that is none of them.
    """
    places = {keyword: message for options, message in parts
              for keyword in options.__annotations__}
    for keyword, value in keywords.items():
        if keyword not in places:
            raise TypeError(f"there is no option {keyword}.{_text.nearest(keyword, places)}")
        if value is None:
            continue
        descriptor: Descriptor = places[keyword].DESCRIPTOR
        field = descriptor.fields_by_name[_RENAMED.get(keyword, keyword)]
        _set(places[keyword], field, keyword, value)


def plan_request(model: str, keywords: Mapping[str, Any]) -> planner_pb2.PlanRequest:
    request = planner_pb2.PlanRequest(model=common_pb2.ModelSpec(model=model))
    fill([(ModelOptions, request.model), (PrecisionOptions, request.precision),
          (LossOptions, request)], keywords)
    return request


def job_spec(model: str, dataset: str, keywords: Mapping[str, Any]) -> job_pb2.JobSpec:
    """`init` is a SHA-256 here: what it was has been uploaded."""
    spec = job_pb2.JobSpec(model=common_pb2.ModelSpec(model=model), dataset=dataset)
    keywords = dict(keywords)
    spec.training.init_sha256 = keywords.pop("init", None) or ""
    fill([(ModelOptions, spec.model), (PrecisionOptions, spec.precision),
          (TrainingOptions, spec.training)], keywords)
    return spec


def dataset_request(name: str, keywords: Mapping[str, Any]) -> dataset_pb2.CreateDatasetRequest:
    request = dataset_pb2.CreateDatasetRequest(name=name)
    fill([(ReadOptions, request.read), (SplitOptions, request)], keywords)
    return request
