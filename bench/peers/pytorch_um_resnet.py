#!/usr/bin/env python3
"""Times the UM ResNet (or ResNet18) in PyTorch as bench/train_step times umbra's: the same work, one line of JSON.

    pytorch_um_resnet.py --channels 200 --steps 5 --variant plain|channels_last|live
    pytorch_um_resnet.py --channels 200 --mode inference --boxes 1000 --variant channels_last
    pytorch_um_resnet.py --channels 200 --device cuda --launch eager|graph --precision fp32|tf32|bf16
    pytorch_um_resnet.py --channels 200 --device cuda --runs channels_last:graph:bf16,plain:eager:tf32   one after the other

On a GPU the whole step can be captured into a CUDA graph (forward, backward and a capturable fused Adam), the fastest
way for PyTorch to run so small a network; cuDNN benchmarks its algorithms first. Variants: plain; channels_last_3d
weights and activations; live, PyTorch without the dead parameters of layer3 (2^3 and 1^3 kernels where the rest of a
3^3 kernel touches only padding), which separates the effect of the algebra from that of the kernels. Adam updates all
tensors at once (fused if this version has it on the CPU, otherwise foreach). With --runs each variant prints its line
as soon as it is done; one that fails prints a line with "error", and the others still run. bench/run.sh sets the
environment in which PyTorch is fastest (threads, huge pages, memory kept).
"""
import argparse
import gc
import json
import resource
import sys
import time

import torch
from torch import nn

from resnet18_pytorch import ResNet18
from um_resnet_pytorch import UmResnet, chi2_linear


def without_dead_parameters(net):
    """layer3 works on 2^3 and 1^3 positions: only 2^3 and 1^3 taps of its 3^3 kernels ever touch data."""
    for name, kernel in (("0.conv1", 2), ("0.conv2", 1), ("1.conv1", 1), ("1.conv2", 1)):
        block, conv = name.split(".")
        old = getattr(net.layer3[int(block)], conv)
        setattr(net.layer3[int(block)], conv, nn.Conv3d(old.in_channels, old.out_channels, kernel, bias=False))
    return net


def make_adam(parameters, capturable):
    for option in ({"fused": True}, {"foreach": True}):
        try:
            adam = torch.optim.Adam(parameters, lr=1e-3, capturable=capturable, **option)
            probe = torch.zeros(1, requires_grad=True, device=parameters[0].device)
            probe.grad = torch.zeros_like(probe)
            torch.optim.Adam([probe], **option).step()
            return adam, next(iter(option))
        except (RuntimeError, TypeError):
            continue
    return torch.optim.Adam(parameters, lr=1e-3), "plain"


class Clock:
    """Milliseconds of a piece of work, from the host's clock or from two events of the GPU."""

    def __init__(self, device):
        self.cuda = device.type == "cuda"

    def now(self):
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between(self, start, end):
        if not self.cuda:
            return 1e3 * (end - start)
        end.synchronize()
        return start.elapsed_time(end)


def train(net, loss_of, steps, clock):
    adam, kind = make_adam(list(net.parameters()), False)
    times = []
    for step in range(-2, steps):
        start = clock.now()
        adam.zero_grad(set_to_none=True)
        loss = loss_of()
        forward = clock.now()
        loss.backward()
        backward = clock.now()
        adam.step()
        end = clock.now()
        if step >= 0:
            times.append([clock.between(a, b) for a, b in ((start, forward), (forward, backward), (backward, end), (start, end))])
    return [list(column) for column in zip(*times)], kind


def train_as_graph(net, loss_of, steps, clock):
    """The whole step as one CUDA graph, captured as in PyTorch's documentation."""
    adam, kind = make_adam(list(net.parameters()), True)

    def step():
        adam.zero_grad(set_to_none=True)
        loss_of().backward()
        adam.step()

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    total = []
    for i in range(-5, steps):
        start = clock.now()
        graph.replay()
        end = clock.now()
        if i >= 0:
            total.append(clock.between(start, end))
    return [[], [], [], total], kind


def infer(net, x, steps, boxes, clock):
    net.eval()
    total = []
    with torch.inference_mode():
        for step in range(-1, steps):
            start = clock.now()
            for done in range(0, boxes, len(x)):
                net(x[: min(len(x), boxes - done)])
            end = clock.now()
            if step >= 0:
                total.append(clock.between(start, end))
    return [[], [], [], total], "none"


def measured(a):
    """Times one variant. Returns the line of JSON as a dictionary."""
    torch.manual_seed(1)
    device = torch.device(a.device)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = a.precision == "tf32"
    if a.model == "resnet18":
        net, x, last = ResNet18(), torch.randn(a.batch, 3, 64, 64), torch.channels_last
        labels = torch.arange(a.batch) % 1000
    else:
        net, last = UmResnet(a.channels), torch.channels_last_3d
        if a.variant == "live":
            net = without_dead_parameters(net)  # the volumes are 2^3 and 1^3 there, so the results are the same
        u = torch.rand(a.batch, 1, 25, 25, 25)
        x = torch.where(u < 0.04, 0.5 + 25 * u, torch.zeros(()))
        target, sigma = torch.full((a.batch, 14), 0.5), torch.ones(14)
    net, x = net.to(device), x.to(device)
    if a.model == "resnet18":
        labels = labels.to(device)
    else:
        target, sigma = target.to(device), sigma.to(device)
    if a.variant == "channels_last":
        net, x = net.to(memory_format=last), x.to(memory_format=last)

    def loss_of():
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=a.precision == "bf16"):
            y = net(x)
        return nn.functional.cross_entropy(y, labels) if a.model == "resnet18" else chi2_linear(y.float(), target, sigma)

    clock = Clock(device)
    run = {"eager": train, "graph": train_as_graph}[a.launch]
    (forward, backward, optimizer, total), adam = (
        run(net, loss_of, a.steps, clock) if a.mode == "train" else infer(net, x, a.steps, a.boxes, clock))
    return {
        **what(a), "boxes": a.batch if a.mode == "train" else a.boxes, "forward_ms": forward, "backward_ms": backward,
        "optimizer_ms": optimizer, "total_ms": total, "adam": adam, "threads": torch.get_num_threads(),
        "version": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability()
        if hasattr(torch.backends, "cpu") else "unknown",
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else "", "cudnn": torch.backends.cudnn.version(),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def what(a):
    return {"program": "pytorch " + a.variant, "device": a.device, "launch": a.launch, "precision": a.precision, "model": a.model,
            "mode": a.mode, "channels": a.channels, "batch": a.batch}


def run_all(a):
    """Every variant of --runs in this process. Returns the exit status."""
    status = 0
    for run in a.runs.split(","):
        a.variant, a.launch, a.precision = run.split(":")
        try:
            line = measured(a)
        except Exception as error:  # e.g. out of memory, or no plan in cuDNN: the other variants still run
            line, status = {**what(a), "error": f"{type(error).__name__}: {error}".splitlines()[0]}, 1
        print(json.dumps(line), flush=True)
        gc.collect()
        if a.device.startswith("cuda"):
            torch.cuda.empty_cache()
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=("um_resnet", "resnet18"), default="um_resnet")
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--boxes", type=int, default=1000)
    parser.add_argument("--mode", choices=("train", "inference"), default="train")
    parser.add_argument("--variant", choices=("plain", "channels_last", "live"), default="plain")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--launch", choices=("eager", "graph"), default="eager")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--runs", help="VARIANT:LAUNCH:PRECISION,... one after the other in this process")
    a = parser.parse_args()
    if a.runs:
        return run_all(a)
    print(json.dumps(measured(a)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
