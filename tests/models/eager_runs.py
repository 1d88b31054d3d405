"""What PyTorch itself does with a model: 20 steps in several ways, and how far they differ.

    figures(make_model, batches, loss, learning rate) -> the fields of the JSON
"""

import copy
from contextlib import contextmanager

import torch
from torch.nn import functional as F

STEPS = 20
TRAIN = {"seed": 20240, "steps": STEPS, "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005,
         "nesterov": False, "dampening": 0.0,
         "order": "sequential, batch i = samples [i*B,(i+1)*B)", "loss_input": "output"}
CALM = 1e-4

LOSSES = {
    "ce": F.cross_entropy,
    "seq_ce": lambda out, target: F.cross_entropy(out.flatten(0, 1), target.flatten()),
    "seg_ce": F.cross_entropy,
    # Of [N, classes], or of all positions of a batch one behind the other.
    "nll": lambda out, target: F.nll_loss(out, target.flatten()),
    "mse": F.mse_loss,
    "bce": F.binary_cross_entropy_with_logits,
}


def first_output(out):
    """The loss reads what torch.export lists first."""
    return torch.utils._pytree.tree_flatten(out)[0][0]  # pylint: disable=protected-access


def l2(tensor):
    return tensor.detach().double().norm().item()


def max_abs(tensor):
    return tensor.detach().double().abs().max().item() if tensor.numel() else 0.0


@contextmanager
def running(threads=1, mkldnn=True):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    with torch.backends.mkldnn.flags(enabled=mkldnn):
        yield
    torch.set_num_threads(before)


class Run:
    """20 steps of SGD. `double`: everything in double precision."""

    def __init__(self, module, batches, loss, learning_rate, double=False, **how):
        def cast(tensor):
            return tensor.double() if double and tensor.is_floating_point() else tensor

        module = copy.deepcopy(module)
        if double:
            module.double()
        self.initial = {name: value.detach().clone() for name, value in state(module).items()}
        parameters = dict(module.named_parameters())
        optimizer = torch.optim.SGD(parameters.values(), lr=learning_rate,
                                    momentum=TRAIN["momentum"], weight_decay=TRAIN["weight_decay"])
        self.losses = []
        self.gradients = self.output = None
        with running(**how):
            for inputs, target in batches:
                optimizer.zero_grad()
                out = first_output(module(*map(cast, inputs)))
                value = LOSSES[loss](out, cast(target))
                value.backward()
                if self.gradients is None:
                    self.output = out.detach()
                    self.gradients = {name: p.grad.clone() for name, p in parameters.items()
                                      if p.grad is not None}
                self.losses.append(value.item())
                optimizer.step()
        self.final = {name: value.detach() for name, value in state(module).items()}


def state(module):
    """Parameters and buffers under the names of the state dict, tied ones once."""
    named = dict(module.named_parameters())
    kept = set(module.state_dict())
    named.update((name, b) for name, b in module.named_buffers() if name in kept)
    return named


def relative(a, b):
    return abs(a - b) / max(abs(b), 1e-300)


def tensor_noise(a, reference):
    """Of two tensors, relative to the second."""
    size = l2(reference)
    return (a.double() - reference.double()).norm().item() / size if size else 0.0


def travel(runs):
    result = {}
    for name, first in runs["eager_f32_1t"].initial.items():
        if not first.is_floating_point():
            continue
        way, plain = (runs[key].final[name].double() - first.double()
                      for key in ("eager_f32_1t", "eager_f32_1t_no_mkldnn"))
        exact = runs["eager_f64_1t"].final[name] - first.double()
        size = l2(way)
        result[name] = {
            "l2": size, "max_abs": max_abs(way),
            "rel_noise": max(l2(way - plain), l2(way - exact)) / size if size else 0.0}
    return result


def all_runs(module, exported, batches, loss, learning_rate):
    def run(model=module, **how):
        return Run(model, batches, loss, learning_rate, **how)

    runs = {"eager_f32_1t": run(), "exported_f32_1t": run(exported), "eager_f32_2t": run(threads=2),
            "eager_f32_1t_no_mkldnn": run(mkldnn=False), "eager_f64_1t": run(double=True)}
    exact = runs["eager_f64_1t"].losses
    noise = [max(relative(runs[key].losses[i], exact[i]) for key in runs if "f32" in key)
             for i in range(STEPS)]
    fields = {
        "losses": {key: {"repr": [repr(x) for x in r.losses], "hex": [x.hex() for x in r.losses]}
                   for key, r in runs.items()},
        "noise_per_step_rel": noise,
        "final_l2": {name: l2(value) for name, value in runs["eager_f32_1t"].final.items()
                     if value.is_floating_point()},
        "travel": travel(runs)}
    return runs, fields


def gradient_fields(runs):
    exact = runs["eager_f64_1t"].gradients
    single = runs["eager_f32_1t"].gradients
    plain = runs["eager_f32_1t_no_mkldnn"].gradients
    fields = {name: {"l2_f64": l2(g), "max_abs_f64": max_abs(g),
                     "first8_f64": g.flatten()[:8].tolist(),
                     "rel_err_f32": tensor_noise(single[name], g),
                     "rel_err_f32_no_mkldnn": tensor_noise(plain[name], g)}
              for name, g in exact.items()}
    total = sum(f["l2_f64"] ** 2 for f in fields.values()) ** 0.5
    return {"grad0": fields, "grad0_total_l2_f64": total}


def figures(module, exported, batches, loss):
    runs, fields = all_runs(module, exported, batches, loss, TRAIN["lr"])
    _, calm = all_runs(module, exported, batches, loss, CALM)
    fields.update(gradient_fields(runs))
    eager = runs["eager_f32_1t"]
    fields["calm"] = {"lr": CALM, **calm}
    fields["initial_l2"] = {name: l2(value) for name, value in eager.initial.items()
                            if value.is_floating_point()}
    fields["final_int_buffers"] = {name: int(value) for name, value in eager.final.items()
                                   if not value.is_floating_point() and value.numel() == 1}
    fields["parameters_without_grad"] = [name for name, _ in module.named_parameters()
                                         if name not in eager.gradients]
    fields["exported_equal_losses"] = eager.losses == runs["exported_f32_1t"].losses
    fields["probe"] = {"out0_shape": list(eager.output.shape),
                       "out0_first8": eager.output.flatten()[:8].tolist(),
                       "out0_l2": l2(eager.output),
                       "grad0_l2": {name: l2(g) for name, g in eager.gradients.items()}}
    return fields
