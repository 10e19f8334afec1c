"""Single operations and optimizers for make_goldens.py, with stored inputs and outputs."""
import numpy as np
import torch
from random_numbers import below, tensor
from torch.nn import functional

FIRST_OPTIMIZER, FIRST_OP = 500, 1000  # streams

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


def batch_norm_values(tensors, prefix, shape, offset, stream, momentum=0.1, eps=1e-5, scale=1.0):
    """The running variance takes the unbiased variance of the batch. `scale` is that of the inputs."""
    channels = (shape[1],)
    inputs = {"input": tensor(stream, shape, lambda u: offset + 2 * u - 1) * scale,
              "weight": tensor(stream + 1, channels, lambda u: 0.5 + u), "bias": tensor(stream + 2, channels)}
    start_mean = tensor(stream + 4, channels, lambda u: offset + u - 0.5)
    start_var = tensor(stream + 5, channels, lambda u: 0.5 + u) * scale**2
    tensors.update({prefix + "/running_mean_before": start_mean, prefix + "/running_var_before": start_var})
    for dtype, mark in ((torch.float32, ""), (torch.float64, "f64/")):
        mean, var = start_mean.to(dtype).clone(), start_var.to(dtype).clone()
        functional.batch_norm(inputs["input"].to(dtype), mean, var, training=True, momentum=momentum)
        tensors.update({f"{mark}{prefix}/running_mean_after": mean, f"{mark}{prefix}/running_var_after": var})
    differentiate(tensors, prefix, inputs, lambda input, weight, bias: functional.batch_norm(
        input, None, None, weight, bias, training=True, eps=eps), stream + 3)
    evaluated = {}
    differentiate(evaluated, prefix, inputs, lambda input, weight, bias: functional.batch_norm(
        input, start_mean.to(input.dtype), start_var.to(input.dtype), weight, bias, eps=eps), stream + 3)
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
    "sgd_nesterov": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, nesterov=True)),
    "sgd_nesterov_l2": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=0.01, nesterov=True)),
    "sgd_dampening": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, dampening=0.3)),
    "sgd_dampening_l2": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, dampening=0.9, weight_decay=0.01)),
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
