#!/usr/bin/env python3.11
"""Exports models by PyTorch itself, with what PyTorch does with them, as tests/models:compare reads.

    export.py [--out DIR] [--only PART OF A NAME] [--list] [--samples N]

Needs python3.11. PyTorch, torchvision, timm and transformers are downloaded once, by hash, into
$MANTISSA_CACHE (third_party/pytorch, third_party/python_models). Without --out the archives go into
a folder there, keyed by the packages and the programs here, and one that is there already is left
alone. Prints the folder. Ends with 1 if a model could not be exported, which it names.
"""

import argparse
import hashlib
import inspect
import json
import os
import subprocess
import sys
import time
import traceback
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTORCH = os.path.join(ROOT, "third_party", "pytorch")
PACKAGES = os.path.join(ROOT, "third_party", "python_models", "requirements.lock")

sys.path.insert(0, PYTORCH)
import install  # pylint: disable=wrong-import-position


def output_of(*command):
    return subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def import_path():
    """Adds PyTorch and the packages to what can be imported."""
    fetch = os.path.join(ROOT, "third_party", "wheels", "fetch.py")
    sys.path.insert(0, output_of(fetch, "--lock", PACKAGES, "--cache", install.cache(),
                                 "--keep", "**=./"))
    sys.path.insert(0, output_of(os.path.join(PYTORCH, "install.py")))
    # The libraries must not look for weights or news of themselves.
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Threads that spin while they wait make runs with two of them endless on a busy machine.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    sys.path.insert(0, HERE)


def default_folder():
    key = hashlib.sha256()
    for path in [PACKAGES, install.LOCK] + [os.path.join(HERE, name) for name in (
            "export.py", "zoo.py", "zoo_wide.py", "plain_models.py", "recipes.py", "eager_runs.py")]:
        with open(path, "rb") as f:
            key.update(f.read())
    return os.path.join(install.cache(), "models-" + key.hexdigest()[:16])


def names_of_inputs(module, count):
    """The names of the first positional arguments of forward()."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names[:count]


def export(torch, module, inputs, batch_dims):
    """Tries Dim("batch"), then Dim.AUTO; keeps what was tried."""
    tries = []
    batch = torch.export.Dim("batch", min=2, max=4096)
    for kind, dim in [("Dim", batch), ("AUTO", torch.export.Dim.AUTO)]:
        start = time.monotonic()
        shapes = tuple({at: dim} for at in batch_dims)
        if any(p.kind == p.VAR_POSITIONAL
               for p in inspect.signature(module.forward).parameters.values()):
            named = len(names_of_inputs(module, len(inputs)))
            shapes = shapes[:named] + (shapes[named:],)
        try:
            program = torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
            tries.append([kind, "ok", f"{time.monotonic() - start:.1f}s"])
            return program, tries
        except Exception as error:  # pylint: disable=broad-except
            tries.append([kind, str(error).splitlines()[0][:200] if str(error) else repr(error),
                          f"{time.monotonic() - start:.1f}s"])
    raise RuntimeError(f"torch.export refused: {tries}")



def input_names(text, count):
    """Names that a recipe's sentence defines, without those it only uses."""
    names = [part.split("=")[0].strip() for part in text.split(";")]
    return [n for n in names if n not in ("tokens", "target")][:count]


def named_module(torch, module, names):
    """`module` itself where its first arguments are the recipe's, else a wrapper."""
    own = names_of_inputs(module, len(names))
    wanted = [n for n in names if n in ("input_ids", "attention_mask", "decoder_input_ids")]
    if own == wanted or len(wanted) < 2:
        return module

    class Named(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = module

        def forward(self, *inputs):
            return self.model(**dict(zip(wanted, inputs)))

    return Named()


def make_model(torch, eager_runs, recipes, name, spec, data, folder):
    torch.manual_seed(eager_runs.TRAIN["seed"])
    files, text, target_text, make_data = recipes.RECIPES[spec.recipe]
    inputs, target = make_data(data)
    module = named_module(torch, spec.make(), input_names(text, len(inputs))).train()
    # Recurrent states have their batch second.
    dims = [1 if x.dim() == 3 and x.shape[0] == 2 else 0 for x in inputs]
    def take(i):
        rows = slice(i * spec.batch, (i + 1) * spec.batch)
        return (tuple(x[rows] if dim == 0 else x[:, rows].contiguous()
                      for x, dim in zip(inputs, dims)), target[rows])
    batches = [take(i % (len(target) // spec.batch)) for i in range(eager_runs.STEPS)]
    # Cloned, for archives hold the whole storage of what they were exported with.
    program, tries = export(torch, module, tuple(x.clone() for x in batches[0][0]), dims)
    for node in program.graph.nodes:
        # Where the files of this machine are is nobody's business.
        node.meta.pop("stack_trace", None)
    torch.export.save(program, os.path.join(folder, name + ".pt2"))
    if name.startswith("random_"):
        return
    fields = {
        "name": name, "export_tries": tries,
        "train": {**eager_runs.TRAIN, "batch": spec.batch, "loss": spec.loss},
        "data": {"recipe": spec.recipe, "files": files, "preprocessing": text,
                 "target": target_text},
        "constructor": inspect.getsource(spec.make),
        "versions": {"torch": torch.__version__}}
    fields.update(eager_runs.figures(module, program.module(), batches, spec.loss))
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(fields, f, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--samples", type=int, default=640)
    args = parser.parse_args()
    folder = args.out or default_folder()

    import_path()
    warnings.simplefilter("ignore")
    import torch  # pylint: disable=import-outside-toplevel
    import eager_runs  # pylint: disable=import-outside-toplevel
    import recipes  # pylint: disable=import-outside-toplevel
    import zoo  # pylint: disable=import-outside-toplevel
    chosen = [n for n in zoo.MODELS if not args.only or any(part in n for part in args.only)]
    if args.list:
        print("\n".join(chosen))
        return
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(os.path.join(folder, "digits64.npz")):
        recipes.write_data(folder, install.cache(), args.samples)
    data = recipes.read_data(folder)
    failed = []
    for name in chosen:
        random = name.startswith("random_")
        if os.path.exists(os.path.join(folder, name + (".pt2" if random else ".json"))):
            continue
        start = time.monotonic()
        try:
            make_model(torch, eager_runs, recipes, name, zoo.MODELS[name], data, folder)
            print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        except Exception:  # pylint: disable=broad-except
            failed.append(name)
            print(f"{name}: {traceback.format_exc()}", file=sys.stderr, flush=True)
    print(folder)
    if failed:
        sys.exit("not exported: " + ", ".join(failed))


if __name__ == "__main__":
    main()
