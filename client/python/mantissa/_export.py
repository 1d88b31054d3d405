"""Exports a PyTorch module as an archive that Mantissa trains."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import logging
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mantissa import _errors

if TYPE_CHECKING:
    import torch

_log = logging.getLogger("mantissa")

# What torch.export says, and what helps. The first match counts.
_REMEDIES = [
    (("data-dependent", "DataDependent", "GuardOnDataDependent", "is_nonzero", "_local_scalar"),
     "what it computes depends on the values of tensors. Write the branch with torch.where, or "
     "take it out of forward()"),
    (("specialized", "specialised", "Constraints violated", "marked batch as dynamic"),
     "it computes with the batch size as a fixed number. Use x.shape[0] where that number stands, "
     "and -1 instead of it in view() and reshape()"),
]


def _tensors(output: Any) -> Iterator[torch.Tensor]:
    """The tensors in what a module returns, in order: of tuples, named ones too, lists, mappings
    and data classes. Caches and other objects are left out: a training does not use them."""
    import torch

    if isinstance(output, torch.Tensor):
        yield output
        return
    if dataclasses.is_dataclass(output) and not isinstance(output, Mapping):
        output = [getattr(output, field.name) for field in dataclasses.fields(output)]
    elif isinstance(output, Mapping):
        output = output.values()
    elif not isinstance(output, (tuple, list)):
        return
    for part in output:
        yield from _tensors(part)


@contextmanager
def _ready(module: torch.nn.Module) -> Iterator[None]:
    """The module in training mode and returning tensors alone; afterwards as it was."""
    modes = [(part, part.training) for part in module.modules()]
    forward, own = module.forward, vars(module).get("forward")

    @functools.wraps(forward)
    def plain(*args: Any, **kwargs: Any) -> torch.Tensor | tuple[torch.Tensor, ...]:
        output = forward(*args, **kwargs)
        outputs = tuple(_tensors(output))
        if not outputs:
            raise _refusal(module, "it returns no tensor. Wrap it in a module that does")
        return outputs[0] if output is outputs[0] else outputs

    module.train()
    module.forward = plain
    try:
        yield
    finally:
        del module.forward
        if own is not None:
            module.forward = own
        for part, mode in modes:
            part.training = mode


def _refusal(module: torch.nn.Module, what: str, error: BaseException | None = None
             ) -> _errors.ExportError:
    refusal = _errors.ExportError(f"{type(module).__name__} cannot be exported: {what}.")
    refusal.__cause__ = error
    return refusal


def _explain(module: torch.nn.Module, error: BaseException) -> _errors.ExportError:
    text = f"{type(error).__name__}: {error}"
    for words, remedy in _REMEDIES:
        if any(word in text for word in words):
            return _refusal(module, remedy, error)
    lines = [line for line in text.splitlines() if line.strip()]
    return _refusal(module, f"torch.export says {lines[0][:500]!r}; see what caused this error",
                    error)


class _Arguments:
    """Example arguments with the dimension of each tensor that is the batch, or None."""

    def __init__(self, module: torch.nn.Module, args: Any, kwargs: Mapping[str, Any],
                 batch: int | Sequence[int | None]) -> None:
        import torch

        self.args = (args,) if isinstance(args, torch.Tensor) else tuple(args)
        self.kwargs = dict(kwargs)
        values = [*self.args, *self.kwargs.values()]
        strange = [type(value).__name__ for value in values if not isinstance(value, torch.Tensor)]
        if strange or not values:
            raise _refusal(module, "its example arguments must be tensors, and are "
                           f"{', '.join(strange) or 'none'}. Wrap it in a module whose forward() "
                           "takes tensors alone")
        if isinstance(batch, int):
            self.dims: list[int | None] = [batch if value.dim() else None for value in values]
        else:
            self.dims = list(batch)
        if len(self.dims) != len(values):
            raise _refusal(module, f"batch names {len(self.dims)} dimensions for {len(values)} "
                           "arguments; give one number for all, or one an argument, None for those "
                           "without a batch")
        for value, dim in zip(values, self.dims):
            if dim is not None and not 0 <= dim < value.dim():
                raise _refusal(module, f"an argument of shape {list(value.shape)} has no dimension "
                               f"{dim} for the batch; say with `batch` which one it is")
        if all(dim is None for dim in self.dims):
            raise _refusal(module, "no argument has a batch; say with `batch` which dimension it "
                           "is")
        self._enlarge()

    def _enlarge(self) -> None:
        """torch.export takes a batch of 1 for a fixed size: two samples then."""
        values = [*self.args, *self.kwargs.values()]
        if all(dim is None or value.shape[dim] != 1 for value, dim in zip(values, self.dims)):
            return
        values = [value if dim is None else value.repeat_interleave(2, dim)
                  for value, dim in zip(values, self.dims)]
        self.args = tuple(values[:len(self.args)])
        self.kwargs = dict(zip(self.kwargs, values[len(self.args):]))

    def shapes(self, module: torch.nn.Module, batch: Any) -> dict[str, Any] | tuple[Any, ...]:
        """`dynamic_shapes` of torch.export."""
        each = [{} if dim is None else {dim: batch} for dim in self.dims]
        parameters = list(inspect.signature(module.forward).parameters.values())
        named: dict[str, Any] = dict(zip(self.kwargs, each[len(self.args):]))
        for at, shape in enumerate(each[:len(self.args)]):
            parameter = parameters[min(at, len(parameters) - 1)] if parameters else None
            if parameter is not None and parameter.kind is parameter.VAR_POSITIONAL:
                named.setdefault(parameter.name, []).append(shape)
            elif parameter is not None:
                named[parameter.name] = shape
        return {name: tuple(value) if isinstance(value, list) else value
                for name, value in named.items()}


def _fixed(program: Any, dims: Sequence[int | None]) -> bool:
    """Whether the batch has become a number in the program."""
    inputs = set(program.graph_signature.user_inputs)
    nodes = [node for node in program.graph.nodes if node.op == "placeholder" and
             node.name in inputs]
    sizes = [node.meta["val"].shape[dim] for node, dim in zip(nodes, dims) if dim is not None]
    # A symbol may stand for one number.
    return any(isinstance(size, int) or size.node.maybe_as_int() is not None for size in sizes)


def _program(module: torch.nn.Module, arguments: _Arguments) -> Any:
    import torch

    # Dim.AUTO takes more models; a named Dim says why the batch is fixed, where it is.
    last: BaseException | None = None
    for batch in (torch.export.Dim.AUTO, torch.export.Dim("batch", min=2)):
        try:
            program = torch.export.export(module, arguments.args, arguments.kwargs,
                                          dynamic_shapes=arguments.shapes(module, batch),
                                          strict=False)
        except _errors.ExportError:
            raise
        except Exception as error:  # pylint: disable=broad-except
            last = error
            continue
        if not _fixed(program, arguments.dims):
            return program
    if last is None:
        raise _refusal(module, _REMEDIES[-1][1])
    raise _explain(module, last)


def _forget_origin(program: Any) -> None:
    """Takes out what is nobody else's business: the example, and where in whose files each operator
    comes from."""
    program.example_inputs = None
    for graph_module in program.graph_module.modules():
        for node in graph_module.graph.nodes if hasattr(graph_module, "graph") else ():
            node.meta.pop("stack_trace", None)


def export(module: torch.nn.Module, example_args: torch.Tensor | Sequence[torch.Tensor],
           path: str | os.PathLike[str], *, batch: int | Sequence[int | None] = 0,
           example_kwargs: Mapping[str, torch.Tensor] | None = None) -> pathlib.Path:
    """Exports `module` as Client.push_model() and Client.submit() take it; returns the path.

        mantissa.export(net, torch.zeros(2, 3, 32, 32), "net.pt2")

    `example_args` are what forward() takes: a tensor or several, of any number of samples. `batch`
    says which dimension counts the samples: one number for all, or one an argument, None for an
    argument without. The archive has the weights of now and the graph of training mode, and takes
    any batch size; evaluation switches dropout and batch norm itself. Of what forward() returns the
    tensors count, and the first one is trained on. The module stays as it is.

    Raises ExportError, with what helps, where torch.export cannot do it.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        raise _refusal(module, "it is TorchScript. Export the module that it was made from")
    arguments = _Arguments(module, example_args, example_kwargs or {}, batch)
    with _ready(module):
        program = _program(module, arguments)
    custom = sorted({str(node.target) for node in program.graph.nodes
                     if isinstance(node.target, torch._ops.OpOverload)
                     and node.target.namespace not in ("aten", "prims")})
    if custom:
        raise _refusal(module, f"it uses {', '.join(custom)}, which only this process has. Replace "
                       "them by PyTorch's own operators")
    _forget_origin(program)
    path = pathlib.Path(path)
    try:
        torch.export.save(program, path)
    except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise _explain(module, error)
    signature = program.graph_signature
    _log.info("exported %s to %s: inputs %s; parameters %s; buffers %s", type(module).__name__,
              path, ", ".join(signature.user_inputs), ", ".join(signature.parameters),
              ", ".join(signature.buffers))
    return path
