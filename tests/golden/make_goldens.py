#!/usr/bin/env python3
"""Makes tests/golden/*.safetensors: results of PyTorch, for the C++ tests, which run without Python.

    make_goldens.py [--out DIR]     write the files (default: next to this script)
    make_goldens.py --check         recompute, compare with the committed files, exit 1 if anything differs

README.md in this folder describes keys, index rules and exclusions. Inputs that are not stored are regenerated. u(s, i)
below is Rng(seed = 2018, purpose = kTest = 6, stream = s).uniform(i) of engine/base/philox.h; all arithmetic is in
double, the result is rounded once to float32, and i is the flat index in row-major order:

    boxes [N,1,25,25,25]   u(1, i) < 0.04 ? (150 + 450 u(2, i)) / 300 : 0
    observed [N,14]        0.5 + u(3, i)
    sigma [N,14]           0.5 + u(4, i)
    parameter number p     (p counts from 0 in the order of named_parameters(), which is the order of docs/weights.md)
      conv and linear weight, linear bias   (u(100 + p, i) - 0.5) * scale, scale = 2 / sqrt(fan_in)
      batch norm weight                     1 + (u(100 + p, i) - 0.5) * 0.2
      batch norm bias                       (u(100 + p, i) - 0.5) * 0.2

fan_in is C_in * kernel volume for a convolution and the number of inputs for a linear layer (weight and bias alike).
Every quantity exists twice: as float32 PyTorch computes it, and under "f64/" from the same network in float64 started
from the same float32 numbers: the oracle, from which a test derives its tolerance.
"""
import argparse
import math
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "peers"))
from comparison_goldens import comparison_values
from layer_goldens import layer_values
from op_goldens import OPTIMIZERS, op_values, optimizer_values
from parameter_recipe import parameter_recipe, set_parameters
from random_numbers import below, check_philox, tensor, uniform, words
from resnet18_goldens import resnet18_values
from safetensors_file import read_safetensors, to_numpy, write_safetensors
from um_resnet_pytorch import UmResnet, chi2_linear

SIGNS, SAMPLES = 50, 60  # streams; op_goldens.py has others
EVERY, FULL_LIMIT = 13, 4096  # longer tensors keep every 13th element: 13 divides no extent of the network
SAMPLE_COUNT, PROJECTIONS = 256, 8


# ---- the network ----
def make_net(channels, dtype):
    return set_parameters(UmResnet(channels, dropout=0.0)).to(dtype)


def make_batch(count, dtype):
    n = count * 25**3
    boxes = np.where(uniform(1, n) < 0.04, (150 + 450 * uniform(2, n)) / 300, 0.0).astype(np.float32)
    boxes = torch.from_numpy(boxes.reshape(count, 1, 25, 25, 25))
    observed, sigma = (tensor(s, (count, 14), lambda u: 0.5 + u) for s in (3, 4))
    return boxes.to(dtype), observed.to(dtype), sigma.to(dtype)


LAYERS = ["conv1", "bn1", "pool", "layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1",
          "fc1", "fcbn1", "fc2", "fcbn2", "fc3", "fcbn3"]


def network_values(channels, batch, dtype):
    """Everything about one forward and backward pass and three Adam steps, as {key: tensor}."""
    boxes, observed, sigma = make_batch(batch, dtype)
    net, out, seen = make_net(channels, dtype), {}, {}

    def remember(name):
        def hook(_module, _inputs, result):
            result.retain_grad()
            seen[name] = result
        return hook

    handles = [net.get_submodule(name).register_forward_hook(remember(name)) for name in LAYERS]
    loss = chi2_linear(net(boxes), observed, sigma)
    loss.backward()
    for handle in handles:
        handle.remove()
    for name in LAYERS:
        out[f"act/{name}"], out[f"act_grad/{name}"] = seen[name], seen[name].grad
    for name, p in net.named_parameters():
        out[f"grad/{name}"] = p.grad.clone()
    for name, b in net.named_buffers():
        if not name.endswith("num_batches_tracked"):
            out[f"stats/{name}"] = b.clone()
    net.eval()
    with torch.no_grad():
        out["eval_output"] = net(boxes)  # initial parameters, running statistics after one batch

    net, losses = make_net(channels, dtype), []
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)
    for step in range(1, 5):
        adam.zero_grad()
        loss = chi2_linear(net(boxes), observed, sigma)
        losses.append(loss.detach())
        if step == 4:
            break
        loss.backward()
        adam.step()
        if step in (1, 3):
            out.update({f"adam{step}/{name}": p.detach().clone() for name, p in net.named_parameters()})
    out["loss"] = torch.stack(losses)  # before steps 1, 2, 3 and after step 3
    return {key: value.detach() for key, value in out.items()}


def thinned(value):
    flat = value.flatten()
    return flat if flat.numel() <= FULL_LIMIT else flat[::EVERY].clone()


def full_golden(f32, f64):
    """C = 4: gradients and f32 parameters in full; long activations and long f64 parameters thinned."""
    tensors = {}
    for key in f32:
        whole = key.startswith("grad/")
        tensors[key] = f32[key] if whole or key.startswith("adam") else thinned(f32[key])
        tensors["f64/" + key] = f64[key] if whole else thinned(f64[key])
        for k in (key, "f64/" + key):
            if tensors[k].numel() == f32[key].numel():
                tensors[k] = tensors[k].reshape(f32[key].shape)
    return tensors


def sample_indices(shape):
    """Odd samples of a 3x3x3 weight fall on the centre tap, the only one that is always live."""
    n = math.prod(shape)
    if n <= SAMPLE_COUNT:
        return np.arange(n)
    index = below(SAMPLES, SAMPLE_COUNT, n)
    if len(shape) == 5 and tuple(shape[2:]) == (3, 3, 3):
        index[1::2] = 27 * below(SAMPLES, SAMPLE_COUNT, n // 27)[1::2] + 13
    return index


def summary(value, sign_words):
    flat = value.flatten().numpy().astype(np.float64)
    signs = (1.0 - 2.0 * ((sign_words[:flat.size] >> np.uint64(j)) & np.uint64(1)) for j in range(PROJECTIONS))
    return np.array([flat.sum(), np.sqrt((flat * flat).sum())] + [(flat * s).sum() for s in signs])


def summarised_golden(f32, f64):
    """C = 20: per tensor [sum, L2 norm, 8 projections] in f64 and up to 256 elements."""
    tensors = {}
    sign_words = words(SIGNS, max(v.numel() for v in f32.values()))[0]
    for prefix, values in (("", f32), ("f64/", f64)):
        for key, value in values.items():
            if key in ("loss", "eval_output", "act/fcbn3"):
                tensors[prefix + key] = value
                continue
            tensors[f"{prefix}{key}/summary"] = summary(value, sign_words)
            tensors[f"{prefix}{key}/samples"] = value.flatten()[torch.from_numpy(sample_indices(value.shape))]
    return tensors


# ---- the distance between float32 and float64, per group ----
def distance_table(f32, f64):
    """{group: (max |f32 - f64| / max |f64| of a tensor, max absolute)}; biases in front of a batch norm excluded."""
    table = {}
    for key in f32:
        if key.rsplit("/", 1)[-1] in ("fc1.bias", "fc2.bias", "fc3.bias"):
            continue
        group = key.split("/")[0]
        absolute = float((f32[key].double() - f64[key]).abs().max())
        relative = absolute / max(float(f64[key].abs().max()), 1e-300)
        old = table.get(group, (0.0, 0.0, ""))
        table[group] = (max(old[0], relative), max(old[1], absolute), key if relative > old[0] else old[2])
    return table


def print_distances(title, f32, f64):
    print(title)
    for group, (relative, absolute, key) in distance_table(f32, f64).items():
        print(f"  {group:12s} relative {relative:.1e} (worst: {key})  absolute {absolute:.1e}")


def pairs(tensors):
    f64 = {k[4:]: torch.as_tensor(v) for k, v in tensors.items() if k.startswith("f64/")}
    return {k: torch.as_tensor(tensors[k]) for k in f64}, f64


def make_all():
    files = {}
    for channels, batch, pack in ((4, 4, full_golden), (20, 8, summarised_golden)):
        f32, f64 = (network_values(channels, batch, dtype) for dtype in (torch.float32, torch.float64))
        print_distances(f"C = {channels}, batch {batch}: loss {float(f64['loss'][0]):.6f}", f32, f64)
        recipe = "; ".join(f"{n} {s} {k} {scale!r}" for n, s, k, scale in parameter_recipe(UmResnet(channels)))
        metadata = {"channels": str(channels), "batch": str(batch), "parameters (name stream kind scale)": recipe}
        files[f"um_resnet_c{channels}.safetensors"] = (pack(f32, f64), metadata)
    comparisons = comparison_values()
    print_distances("networks for comparison", *pairs(comparisons))
    files["comparison_networks.safetensors"] = (comparisons, {})
    resnet18 = resnet18_values()
    print_distances("ResNet18", *pairs(resnet18))
    files["resnet18.safetensors"] = (resnet18, {})
    ops, layers, optimizers = op_values(), layer_values(), optimizer_values()
    print_distances("operations", *pairs(ops))
    print_distances("layers", *pairs(layers))
    print_distances("optimizers", *pairs(optimizers))
    files["ops.safetensors"] = (ops, {})
    files["layers.safetensors"] = (layers, {})
    files["optimizers.safetensors"] = (optimizers, {k: repr(v[1]) for k, v in OPTIMIZERS.items()})
    recipe = " ".join(__doc__.split("Every quantity")[0].split("are not stored")[1].split())
    for _, metadata in files.values():
        metadata.update(torch=torch.__version__, numpy=np.__version__, recipe="Inputs that are not stored " + recipe,
                        made_by="tests/golden/make_goldens.py", every=str(EVERY), full_limit=str(FULL_LIMIT))
    return files


def differences(path, tensors):
    """Keys that differ from the committed file: f64 to 1e-9, f32 to 1e-3 of the tensor's largest element."""
    stored, bad = read_safetensors(path), []
    for key in sorted(set(stored) | set(tensors)):
        if key not in stored or key not in tensors or stored[key].shape != to_numpy(tensors[key]).shape:
            bad.append(key)
            continue
        a, b = stored[key].astype(np.float64), to_numpy(tensors[key]).astype(np.float64)
        noise = any(f"fc{i}.bias" in key for i in (1, 2, 3)) or key.startswith("adam") and "/" in key
        limit = 1e-9 if key.startswith("f64/") else 1e-3
        if not noise and not np.abs(a - b).max() <= limit * max(np.abs(a).max(), 1e-6):
            bad.append(key)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default=HERE, help="folder for the files (default: next to this script)")
    parser.add_argument("--check", action="store_true", help="compare with the files in --out instead of writing them")
    options = parser.parse_args()
    check_philox()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    failed = False
    for name, (tensors, metadata) in make_all().items():
        path = os.path.join(options.out, name)
        if options.check:
            bad = differences(path, tensors)
            failed |= bool(bad)
            print(f"{name}: {len(bad)} of {len(tensors)} tensors differ", *bad[:10])
        else:
            write_safetensors(path, tensors, metadata)
            print(f"{name}: {len(tensors)} tensors, {os.path.getsize(path):,} bytes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
