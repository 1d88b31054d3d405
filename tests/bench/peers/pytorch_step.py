"""Trains one network one way in PyTorch and prints what a step needed, as a line of JSON.

    pytorch_step.py --model resnet18 --way fp32 --batch 128 --width 1.0 --steps 2 --meter meter.so

On the CPU the counting allocator of `meter.so` is Mantissa's own (meter.cc); with --device cuda
PyTorch's own counts, which is Mantissa's there too. Before the steps that count runs
one that does not. A step is what a user writes: forward, cross entropy, backward, SGD with momentum,
zero_grad. Bytes are those of tensors:
  peak_bytes   the most at one time in a step, everything that stays between steps included
  saved_bytes  the growth from the start of the step to the end of the forward pass: what waits for
               the backward pass, however it is held
  hook_bytes   what autograd itself saves, as saved_tensors_hooks sees it in one more step: storages
               counted once, without parameters; null where something else uses the hooks
Seconds are those of the processor on all threads, which other programs do not lengthen much.
"""

import argparse
import contextlib
import ctypes
import json
import time

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.checkpoint import checkpoint

from tests.bench.peers import models


class Meter:
    """Live and peak bytes of tensors in this process."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name in ("peers_meter_live", "peers_meter_peak"):
            getattr(self.library, name).restype = ctypes.c_int64
        self.library.peers_meter_install()

    def live(self):
        return self.library.peers_meter_live()

    def peak(self):
        return self.library.peers_meter_peak()

    def start(self):
        self.library.peers_meter_start()

    def finish(self):
        pass


class CudaMeter:
    """The same on a GPU."""

    def live(self):
        return torch.cuda.memory_allocated()

    def peak(self):
        return torch.cuda.max_memory_allocated()

    def start(self):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()

    def finish(self):
        torch.cuda.synchronize()


class EightBits:
    """Hooks that keep what autograd saves in 8 bits: floating-point tensors of more than one
    dimension as float8_e4m3fn, one copy a tensor however many have saved it. Parameters stay."""

    def __init__(self, net):
        self.parameters = {p.untyped_storage().data_ptr() for p in net.parameters()}
        self.copies = {}

    def pack(self, tensor):
        storage = tensor.untyped_storage()
        if (tensor.dtype != torch.float32 or tensor.dim() < 2 or
                storage.data_ptr() in self.parameters):
            return tensor
        key = (storage._cdata, tensor.storage_offset(), tensor.shape, tensor.stride(),
               tensor._version)
        owner, code = self.copies.get(key, (None, None))
        if owner is None or owner.expired():
            owner, code = StorageWeakRef(storage), tensor.to(torch.float8_e4m3fn)
            self.copies[key] = owner, code
        return code, tensor.dtype

    def unpack(self, saved):
        return saved if isinstance(saved, torch.Tensor) else saved[0].to(saved[1])

    def hooks(self):
        return torch.autograd.graph.saved_tensors_hooks(self.pack, self.unpack)


def checkpoint_block(block, x):
    return checkpoint(block, x, use_reentrant=False)


class Trainer:

    WAYS = ["fp32", "bf16", "fp32-checkpoint", "bf16-checkpoint", "fp32-hooks8"]

    def __init__(self, args):
        torch.manual_seed(1)
        self.way = args.way
        self.device = args.device
        self.net = models.make(args.model, args.width, args.classes).train().to(self.device)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9,
                                         weight_decay=5e-4)
        images = torch.linspace(-2, 2, args.batch * 3 * 32 * 32).view(args.batch, 3, 32, 32)
        self.images = images.to(self.device)
        self.labels = (torch.arange(args.batch) % args.classes).to(self.device)

    def forward(self):
        through = checkpoint_block if "checkpoint" in self.way else models.run_block
        precision = (torch.autocast(self.device, torch.bfloat16)
                     if self.way.startswith("bf16") else contextlib.nullcontext())
        eight = EightBits(self.net).hooks() if "hooks8" in self.way else contextlib.nullcontext()
        with precision, eight:
            return torch.nn.functional.cross_entropy(self.net(self.images, through), self.labels)

    def finish(self, loss):
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def autograd_bytes(self):
        """What the forward pass leaves with autograd."""
        own = {p.untyped_storage().data_ptr()
               for p in [*self.net.parameters(), *self.net.buffers()]}
        storages = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                storages[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = self.forward()
        self.finish(loss)
        return sum(storages.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, choices=sorted(models.NETWORKS))
    parser.add_argument("--way", required=True, choices=Trainer.WAYS)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--width", type=float, required=True)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--meter", help="needed on the CPU")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    args = parser.parse_args()

    meter = CudaMeter() if args.device == "cuda" else Meter(args.meter)
    torch.set_num_threads(args.threads)
    trainer = Trainer(args)
    trainer.finish(trainer.forward())
    seconds, wall_seconds, peaks, saved = [], [], [], []
    for _ in range(args.steps):
        meter.start()
        before, begin, begin_wall = meter.live(), time.process_time(), time.monotonic()
        loss = trainer.forward()
        saved.append(meter.live() - before)
        trainer.finish(loss)
        del loss
        meter.finish()
        seconds.append(time.process_time() - begin)
        wall_seconds.append(time.monotonic() - begin_wall)
        peaks.append(meter.peak())
    plain = trainer.way in ("fp32", "bf16")
    print(json.dumps({
        "name": trainer.way,
        "torch": torch.__version__,
        "parameters": models.parameters(trainer.net),
        "peak_bytes": max(peaks),
        "saved_bytes": max(saved),
        "hook_bytes": trainer.autograd_bytes() if plain else None,
        "seconds": min(seconds),
        "wall_seconds": min(wall_seconds),
    }))


if __name__ == "__main__":
    main()
