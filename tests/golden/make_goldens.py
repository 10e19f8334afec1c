#!/usr/bin/env python3
"""Makes tests/golden/*.safetensors: what PyTorch computes, for the C++ tests that run without Python.

    make_goldens.py [--out DIR]     write the files (default: beside this script)
    make_goldens.py --check         recompute, compare with the committed files, exit 1 if anything differs

README.md in this folder describes keys, index rules and exclusions. What is not stored is regenerated. u(s, i) below is
Rng(seed = 2018, purpose = kTest = 6, stream = s).uniform(i) of engine/base/philox.h; all arithmetic is in double, the
result is rounded once to float32, and i is the flat index in row-major order:

    boxes [N,1,25,25,25]   u(1, i) < 0.04 ? (150 + 450 u(2, i)) / 300 : 0
    observed [N,14]        0.5 + u(3, i)
    sigma [N,14]           0.5 + u(4, i)
    parameter number p     (p counts from 0 in the order of named_parameters(), which is the order of the README)
      conv and linear weight, linear bias   (u(100 + p, i) - 0.5) * scale, scale = 2 / sqrt(fan_in)
      batch norm weight                     1 + (u(100 + p, i) - 0.5) * 0.2
      batch norm bias                       (u(100 + p, i) - 0.5) * 0.2

fan_in is C_in * kernel volume for a convolution and the number of inputs for a linear layer (weight and bias alike).
Every quantity exists twice: as float32 PyTorch computes it, and under "f64/" from the same network in float64 started
from the same float32 numbers: the oracle, from which a test derives its tolerance.
"""
import argparse
import json
import math
import os
import struct
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import torch
from torch.nn import functional

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "peers"))
from um_resnet_pytorch import UmResnet, chi2_linear

SEED, PURPOSE_TEST = 2018, 6
SIGNS, SAMPLES, FIRST_PARAMETER, FIRST_OPTIMIZER, FIRST_OP = 50, 60, 100, 500, 1000  # streams
EVERY, FULL_LIMIT = 13, 4096  # longer tensors keep every 13th element: 13 divides no extent of the network
SAMPLE_COUNT, PROJECTIONS = 256, 8


# ---- Philox4x32-10 (Salmon et al. 2011) and the stream convention of engine/base/philox.h ----
def philox(counter, key0, key1):
    c = [np.asarray(w, dtype=np.uint64) for w in counter]
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(key0), p1 & mask,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(key1), p0 & mask]
        key0, key1 = (key0 + 0x9E3779B9) & 0xFFFFFFFF, (key1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def words(stream, count):
    index = np.arange(count, dtype=np.uint64)
    zero = np.zeros(count, np.uint64)
    return philox([index, zero, zero + np.uint64(stream), zero + np.uint64(PURPOSE_TEST)], SEED, 0)


def uniform(stream, count):
    w = words(stream, count)
    return ((w[0] << np.uint64(32) | w[1]) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(stream, count, bound):
    w, b = words(stream, count), np.uint64(bound)
    return ((w[1] * b + (w[0] * b >> np.uint64(32))) >> np.uint64(32)).astype(np.int64)


def check_philox():
    known = {(0, 0): "6627e8d5 e169c58d bc57ac4c 9b00dbd8", (0xFFFFFFFF,) * 2: "408f276d 41c83b0e a20bc7c6 6d5451fd"}
    for (c, k), answer in known.items():
        assert " ".join(f"{int(w):08x}" for w in philox([c] * 4, k, k)) == answer, "Philox known answer"
    counter, key = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    answer = "d16cfe09 94fdcceb 5001e420 24126ea1"
    assert " ".join(f"{int(w):08x}" for w in philox(counter, *key)) == answer, "Philox known answer"


def tensor(stream, shape, function=lambda u: 2 * u - 1):
    values = function(uniform(stream, math.prod(shape))).astype(np.float32)
    return torch.from_numpy(values.reshape(shape))


# ---- safetensors: 8 bytes of header length, a JSON header, raw little-endian data ----
KINDS = {np.dtype("<f4"): "F32", np.dtype("<f8"): "F64", np.dtype("<i8"): "I64"}


def to_numpy(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    return np.ascontiguousarray(value)


def write_safetensors(path, tensors, metadata):
    arrays = {k: to_numpy(v) for k, v in tensors.items()}
    names = sorted(arrays, key=lambda k: (-arrays[k].dtype.itemsize, k))  # 8-byte types first: all stay aligned
    header, offset = {"__metadata__": metadata}, 0
    for name in names:
        a = arrays[name]
        header[name] = {"dtype": KINDS[a.dtype], "shape": list(a.shape), "data_offsets": [offset, offset + a.nbytes]}
        offset += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            out.write(arrays[name].tobytes())
    os.replace(path + ".part", path)


def read_safetensors(path):
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__")
    types = {v: k for k, v in KINDS.items()}
    return {name: np.frombuffer(raw[8 + size + e["data_offsets"][0]:8 + size + e["data_offsets"][1]],
                                types[e["dtype"]]).reshape(e["shape"]) for name, e in header.items()}


# ---- the network ----
def parameter_recipe(net):
    """(name, stream, kind, scale) of every parameter, in order."""
    recipe, fan_in = [], {}
    for position, (name, p) in enumerate(net.named_parameters()):
        module, kind = name.rsplit(".", 1)
        norm = isinstance(net.get_submodule(module), torch.nn.modules.batchnorm._BatchNorm)
        if norm:
            recipe.append((name, FIRST_PARAMETER + position, "bn_" + kind, 0.2))
        else:
            fan_in[module] = p[0].numel() if kind == "weight" else fan_in[module]
            recipe.append((name, FIRST_PARAMETER + position, kind, 2.0 / math.sqrt(fan_in[module])))
    return recipe


def make_net(channels, dtype):
    net = UmResnet(channels, dropout=0.0)
    parameters = dict(net.named_parameters())
    with torch.no_grad():
        for name, stream, kind, scale in parameter_recipe(net):
            one = 1.0 if kind == "bn_weight" else 0.0
            parameters[name].copy_(tensor(stream, parameters[name].shape, lambda u: one + (u - 0.5) * scale))
    return net.to(dtype)


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


# ---- single operations, inputs stored ----
CONVOLUTIONS = {  # rank-3 lists: N, Cin, Cout, input, kernel, stride, padding, bias
    "3d_stem": (2, 1, 3, (5, 5, 5), (3, 3, 3), (2, 2, 2), (3, 3, 3), False),
    "3d_layer_entry": (2, 3, 4, (4, 4, 4), (3, 3, 3), (2, 2, 2), (1, 1, 1), False),
    "3d_two_cubed": (2, 3, 2, (2, 2, 2), (3, 3, 3), (1, 1, 1), (1, 1, 1), False),
    "3d_one_cubed": (3, 4, 5, (1, 1, 1), (3, 3, 3), (1, 1, 1), (1, 1, 1), True),
    "3d_two_to_one": (3, 2, 3, (2, 2, 2), (3, 3, 3), (2, 2, 2), (1, 1, 1), False),
    "3d_downsample": (2, 3, 5, (4, 3, 5), (1, 1, 1), (2, 2, 2), (0, 0, 0), False),
    "3d_odd_kernel": (2, 2, 3, (5, 6, 7), (3, 2, 5), (1, 2, 3), (0, 1, 2), True),
    "3d_stride_three": (1, 3, 2, (7, 4, 5), (5, 1, 2), (3, 1, 2), (3, 0, 1), True),
    "3d_even_kernel": (2, 2, 2, (4, 5, 6), (2, 2, 2), (2, 1, 3), (0, 1, 0), False),
    "3d_wide_padding": (1, 2, 2, (3, 2, 1), (2, 3, 1), (1, 2, 1), (2, 3, 1), False),
    "2d_same": (2, 3, 4, (5, 6), (3, 3), (1, 1), (1, 1), False),
    "2d_stem": (2, 3, 2, (9, 8), (5, 5), (2, 2), (3, 3), False),
    "2d_odd_kernel": (2, 2, 3, (7, 5), (5, 3), (2, 1), (2, 0), True),
    "2d_downsample": (3, 4, 3, (4, 5), (1, 1), (2, 2), (0, 0), False),
    "2d_stride_three": (2, 3, 3, (6, 7), (2, 3), (3, 3), (1, 2), True),
    "2d_row": (1, 3, 2, (3, 9), (1, 5), (1, 3), (0, 3), False),
}
POOLS = {  # N, C, input, kernel, stride, padding
    "3d_stem": (2, 2, (5, 6, 7), (3, 3, 3), (2, 2, 2), (1, 1, 1)),
    "3d_overlapping": (1, 2, (4, 3, 5), (3, 3, 3), (1, 1, 1), (1, 1, 1)),
    "3d_even": (2, 3, (4, 5, 2), (2, 2, 2), (2, 2, 2), (0, 0, 0)),
    "3d_odd_kernel": (1, 2, (5, 6, 4), (2, 3, 4), (1, 3, 2), (1, 0, 2)),
    "2d_stem": (2, 3, (9, 8), (3, 3), (2, 2), (1, 1)),
    "2d_even": (2, 2, (5, 6), (2, 2), (2, 2), (0, 0)),
}


def geometry(*fields):
    """Counts, then extents padded in front to three dimensions: extent and kernel and stride by 1, padding by 0."""
    flat = []
    for position, field in enumerate(fields):
        if isinstance(field, tuple):
            fill = 0 if position == len(fields) - 1 else 1
            flat += [fill] * (3 - len(field)) + list(field)
        else:
            flat.append(field)
    return np.array(flat, np.int64)


def differentiate(tensors, prefix, inputs, function, grad_stream):
    """Stores inputs, output and gradients of function(**inputs) in f32 and f64 for one random upstream gradient."""
    upstream = None
    for dtype, mark in ((torch.float32, ""), (torch.float64, "f64/")):
        leaves = {k: v.to(dtype).detach().requires_grad_() for k, v in inputs.items()}
        output = function(**leaves)
        if upstream is None:
            upstream = tensor(grad_stream, tuple(output.shape)) if output.dim() else torch.ones(())
            tensors.update({f"{prefix}/{k}": v for k, v in inputs.items()})
            if output.dim():
                tensors[f"{prefix}/grad_output"] = upstream
        output.backward(upstream.to(dtype))
        tensors[f"{mark}{prefix}/output"] = output.reshape(output.shape or (1,))
        tensors.update({f"{mark}{prefix}/grad_{k}": v.grad for k, v in leaves.items()})


def op_values():
    tensors, stream = {}, FIRST_OP
    for name, (n, cin, cout, extent, kernel, stride, padding, bias) in CONVOLUTIONS.items():
        prefix = "conv/" + name
        inputs = {"input": tensor(stream, (n, cin) + extent), "weight": tensor(stream + 1, (cout, cin) + kernel)}
        if bias:
            inputs["bias"] = tensor(stream + 2, (cout,))
        convolve = functional.conv3d if len(extent) == 3 else functional.conv2d
        tensors[prefix + "/geometry"] = geometry(n, cin, cout, extent, kernel, stride, padding)
        differentiate(tensors, prefix, inputs, lambda **v: convolve(
            v["input"], v["weight"], v.get("bias"), stride=stride, padding=padding), stream + 3)
        stream += 10
    for name, (n, c, extent, kernel, stride, padding) in POOLS.items():
        prefix = "maxpool/" + name
        # Five integer values, mostly negative: ties in every window, and a padding that counted as 0 would win.
        inputs = {"input": tensor(stream, (n, c) + extent, lambda u: np.floor(5 * u) - 4)}
        pool = functional.max_pool3d if len(extent) == 3 else functional.max_pool2d
        tensors[prefix + "/geometry"] = geometry(n, c, extent, kernel, stride, padding)
        differentiate(tensors, prefix, inputs, lambda input: pool(input, kernel, stride, padding), stream + 3)
        stream += 10
    for name, shape, offset in (("3d", (3, 4, 2, 3, 2), 0.0), ("1d", (5, 6), 0.0), ("offset", (4, 3, 3, 3, 3), 100.0)):
        batch_norm_values(tensors, "batchnorm/" + name, shape, offset, stream)
        stream += 10
    for name, scale in (("plain", 6.0), ("extreme", 2000.0)):
        prefix, shape = "softmax_cross_entropy/" + name, (6, 7)
        labels = torch.from_numpy(below(stream + 1, shape[0], shape[1]))
        tensors[prefix + "/labels"] = labels
        differentiate(tensors, prefix, {"input": tensor(stream, shape, lambda u: (u - 0.5) * scale)},
                      lambda input: functional.cross_entropy(input, labels), stream + 3)
        stream += 10
    return tensors


def batch_norm_values(tensors, prefix, shape, offset, stream):
    """momentum 0.1, eps 1e-5. The running variance takes the unbiased variance of the batch."""
    channels = (shape[1],)
    inputs = {"input": tensor(stream, shape, lambda u: offset + 2 * u - 1),
              "weight": tensor(stream + 1, channels, lambda u: 0.5 + u), "bias": tensor(stream + 2, channels)}
    start_mean = tensor(stream + 4, channels, lambda u: offset + u - 0.5)
    start_var = tensor(stream + 5, channels, lambda u: 0.5 + u)
    tensors.update({prefix + "/running_mean_before": start_mean, prefix + "/running_var_before": start_var})
    for dtype, mark in ((torch.float32, ""), (torch.float64, "f64/")):
        mean, var = start_mean.to(dtype).clone(), start_var.to(dtype).clone()
        functional.batch_norm(inputs["input"].to(dtype), mean, var, training=True)
        tensors.update({f"{mark}{prefix}/running_mean_after": mean, f"{mark}{prefix}/running_var_after": var})
    differentiate(tensors, prefix, inputs, lambda input, weight, bias: functional.batch_norm(
        input, None, None, weight, bias, training=True), stream + 3)
    evaluated = {}
    differentiate(evaluated, prefix, inputs, lambda input, weight, bias: functional.batch_norm(
        input, start_mean.to(input.dtype), start_var.to(input.dtype), weight, bias, training=False), stream + 3)
    for key, value in evaluated.items():  # same inputs and upstream gradient, the "before" statistics
        if not key.endswith(("/input", "/weight", "/bias", "/grad_output")):
            tensors[key.replace(prefix, prefix + "/eval")] = value


# ---- optimizers on one small vector ----
OPTIMIZERS = {
    "adam": (torch.optim.Adam, dict(lr=1e-2)),
    "adam_l2": (torch.optim.Adam, dict(lr=1e-2, weight_decay=0.01)),
    "adamw": (torch.optim.AdamW, dict(lr=1e-2, weight_decay=0.01)),
    "sgd": (torch.optim.SGD, dict(lr=1e-2)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9)),
    "sgd_momentum_l2": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=0.01)),
}


def optimizer_values(count=24, steps=5):
    """Elements 0-3 have gradients 0, tiny, huge and of alternating sign."""
    gradients = tensor(FIRST_OPTIMIZER + 1, (steps, count))
    gradients[:, 0], gradients[:, 1], gradients[:, 2] = 0.0, 1e-9, 1e6
    gradients[:, 3] = torch.tensor([(-1.0) ** step for step in range(steps)])
    start = tensor(FIRST_OPTIMIZER, (count,))
    tensors = {"start": start, "gradients": gradients}
    for name, (make, options) in OPTIMIZERS.items():
        for dtype, mark in ((torch.float32, ""), (torch.float64, "f64/")):
            p, rows = torch.nn.Parameter(start.to(dtype).clone()), []
            optimizer = make([p], **options)
            for gradient in gradients:
                p.grad = gradient.to(dtype).clone()
                optimizer.step()
                rows.append(p.detach().clone())
            tensors[f"{mark}{name}"] = torch.stack(rows)
    return tensors


# ---- the distance between float32 and float64, per group ----
def distance_table(f32, f64):
    """{group: (max |f32 - f64| / max |f64| of a tensor, max absolute)}; biases in front of a batch norm excluded."""
    table = {}
    for key in f32:
        if key.split("/", 1)[-1] in ("fc1.bias", "fc2.bias", "fc3.bias"):
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
    ops, optimizers = op_values(), optimizer_values()
    print_distances("operations", *pairs(ops))
    print_distances("optimizers", *pairs(optimizers))
    files["ops.safetensors"] = (ops, {})
    files["optimizers.safetensors"] = (optimizers, {k: repr(v[1]) for k, v in OPTIMIZERS.items()})
    recipe = " ".join(__doc__.split("Every quantity")[0].split("What is not stored")[1].split())
    for _, metadata in files.values():
        metadata.update(torch=torch.__version__, numpy=np.__version__, recipe="What is not stored" + recipe,
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
    parser.add_argument("--out", default=HERE, help="folder for the files (default: beside this script)")
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
