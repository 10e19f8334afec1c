"""layers.safetensors for make_goldens.py: what op_goldens.py lacks of convolutions, pools, batch norm and losses,
and elementwise functions, softmax, reductions and concatenation. Inputs and outputs are stored."""
import itertools

import numpy as np
import torch
from op_goldens import batch_norm_values, differentiate
from random_numbers import below, tensor
from torch.nn import functional

FIRST_LAYER = 2000  # stream of the first case; every case has ten

CONVOLUTIONS = {  # N, Cin, Cout, input, kernel, stride, padding, dilation, groups, bias
    "2d_bias": (1, 2, 3, (4, 5), (3, 3), (1, 1), (1, 1), (1, 1), 1, True),
    "2d_per_axis": (1, 2, 3, (6, 7), (3, 5), (2, 3), (2, 1), (1, 1), 1, True),
    "2d_dilated": (2, 2, 2, (5, 4), (3, 3), (1, 1), (2, 2), (2, 2), 1, False),
    "2d_dilated_per_axis": (1, 2, 2, (9, 6), (3, 2), (2, 1), (1, 2), (3, 4), 1, True),
    "2d_dilated_dead_taps": (2, 2, 3, (2, 3), (3, 3), (1, 1), (4, 4), (4, 4), 1, False),
    "2d_groups": (2, 4, 6, (3, 3), (3, 3), (1, 1), (1, 1), (1, 1), 2, True),
    "2d_groups_pointwise": (2, 6, 4, (3, 3), (1, 1), (2, 1), (0, 0), (1, 1), 2, True),
    "2d_groups_many_samples": (17, 2, 4, (2, 2), (2, 1), (1, 1), (0, 0), (1, 1), 2, False),
    "2d_groups_dilated": (1, 6, 3, (5, 4), (2, 3), (2, 1), (1, 2), (3, 2), 3, True),
    "2d_depthwise": (1, 5, 5, (6, 5), (3, 3), (2, 2), (1, 1), (1, 1), 5, True),
    "2d_depthwise_multiplied": (1, 3, 6, (4, 3), (3, 3), (1, 1), (1, 1), (1, 1), 3, False),
    "3d_bias": (1, 2, 2, (3, 3, 2), (3, 2, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1, True),
    "3d_per_axis": (1, 2, 2, (4, 3, 5), (2, 3, 1), (2, 1, 3), (1, 2, 0), (1, 1, 1), 1, True),
    "3d_dilated": (1, 2, 2, (5, 4, 4), (3, 2, 2), (1, 2, 1), (1, 1, 1), (2, 1, 3), 1, True),
    "3d_groups": (2, 4, 2, (2, 3, 2), (2, 2, 1), (1, 2, 1), (0, 1, 1), (1, 1, 1), 2, False),
    "3d_depthwise": (1, 3, 3, (4, 3, 3), (3, 3, 3), (2, 1, 1), (1, 1, 1), (1, 1, 1), 3, True),
    "3d_depthwise_dilated": (1, 2, 4, (4, 4, 3), (2, 2, 2), (1, 1, 2), (1, 1, 0), (2, 3, 1), 2, True),
}
MAX_POOLS = {  # N, C, input, kernel, stride, padding, dilation, ceil
    "2d_dilated": (1, 2, (6, 7), (3, 3), (1, 1), (1, 1), (2, 2), False),
    "2d_dilated_per_axis": (1, 2, (8, 7), (2, 3), (2, 1), (1, 0), (3, 2), False),
    "2d_ceil": (1, 2, (6, 7), (3, 3), (2, 2), (1, 1), (1, 1), True),
    "2d_ceil_last_window_dropped": (1, 2, (5, 6), (2, 2), (3, 3), (1, 1), (1, 1), True),
    "2d_ceil_dilated": (1, 2, (7, 6), (2, 3), (3, 2), (1, 1), (2, 1), True),
    "3d_dilated": (1, 1, (5, 6, 4), (2, 3, 2), (1, 2, 1), (1, 1, 0), (2, 1, 3), False),
    "3d_ceil": (2, 1, (4, 5, 3), (2, 3, 2), (3, 2, 2), (0, 1, 1), (1, 1, 1), True),
}
AVERAGE_POOLS = {  # N, C, input, kernel, stride, padding, ceil; each with the padding counted and not
    "2d": (2, 2, (4, 3), (2, 3), (2, 3), (0, 0), False),
    "2d_padding": (1, 2, (5, 6), (3, 3), (1, 2), (1, 1), False),
    "2d_ceil": (1, 2, (6, 7), (3, 2), (2, 3), (1, 1), True),
    "2d_ceil_last_window_dropped": (1, 2, (5, 6), (2, 2), (3, 3), (1, 1), True),
    "2d_ceil_beyond_padding": (1, 2, (5, 4), (3, 4), (3, 3), (0, 1), True),
    "3d_padding": (1, 1, (4, 3, 5), (3, 2, 2), (1, 2, 2), (1, 0, 1), False),
    "3d_ceil": (1, 1, (4, 5, 4), (2, 3, 3), (3, 2, 2), (1, 1, 0), True),
}
REDUCE = ("mean", "sum", "none")  # of losses; options[2] of a case is the place in this list
CROSS_ENTROPIES = {  # class weights, ignored label, label smoothing, reductions
    "plain": (False, -100, 0.0, ("sum", "none")),
    "weights": (True, -100, 0.0, REDUCE),
    "ignore": (False, -1, 0.0, REDUCE),
    "smoothing": (False, -100, 0.1, ("mean",)),
    "weights_ignore": (True, -1, 0.0, ("mean",)),
    "weights_smoothing": (True, -100, 0.25, ("mean", "sum")),
    "ignore_smoothing": (False, -1, 0.1, ("mean",)),
    "weights_ignore_smoothing": (True, -1, 0.1, REDUCE),
    "ignore_a_class": (True, 3, 0.2, ("mean", "none")),  # smoothing still spreads over the ignored class
}
REDUCTIONS = {"sum": torch.sum, "mean": torch.mean, "amax": torch.amax, "amin": torch.amin}
REDUCED_AXES = {  # shape, sets of axes
    "rank2": ((4, 3), [(1,)]),
    "rank3": ((3, 4, 2), [(0,), (1,), (0, 2), (0, 1, 2)]),
    "rank4": ((2, 3, 2, 2), [(-1,), (2, 3), (3, 0)]),
    "rank5": ((2, 3, 2, 1, 3), [(2, 3, 4)]),
}
CONCATENATED = {"rank2": (3, 2), "rank3": (2, 3, 2), "rank4": (2, 1, 2, 3)}  # extents of the first part


def in_three_dimensions(extents, fill):
    return [fill] * (3 - len(extents)) + list(extents)


def convolutions(tensors, streams):
    """geometry [19]: N, Cin, Cout, extent 3, kernel 3, stride 3, padding 3, dilation 3, groups"""
    for name, (n, cin, cout, extent, kernel, stride, padding, dilation, groups, bias) in CONVOLUTIONS.items():
        prefix, stream = "conv/" + name, next(streams)
        inputs = {"input": tensor(stream, (n, cin) + extent),
                  "weight": tensor(stream + 1, (cout, cin // groups) + kernel)}
        if bias:
            inputs["bias"] = tensor(stream + 2, (cout,))
        convolve = functional.conv3d if len(extent) == 3 else functional.conv2d
        fields = [(extent, 1), (kernel, 1), (stride, 1), (padding, 0), (dilation, 1)]
        geometry = sum((in_three_dimensions(*field) for field in fields), [n, cin, cout])
        tensors[prefix + "/geometry"] = np.array(geometry + [groups], np.int64)
        differentiate(tensors, prefix, inputs, lambda **v: convolve(
            v["input"], v["weight"], v.get("bias"), stride, padding, dilation, groups), stream + 3)


def pools(tensors, streams):
    """geometry [18]: N, C, extent 3, kernel 3, stride 3, padding 3, dilation 3, ceil; of average pools one more:
    whether padding counts"""
    for name, (n, c, extent, kernel, stride, padding, dilation, ceil) in MAX_POOLS.items():
        prefix, stream = "maxpool/" + name, next(streams)
        fields = [(extent, 1), (kernel, 1), (stride, 1), (padding, 0), (dilation, 1)]
        geometry = sum((in_three_dimensions(*field) for field in fields), [n, c])
        tensors[prefix + "/geometry"] = np.array(geometry + [ceil], np.int64)
        pool = functional.max_pool3d if len(extent) == 3 else functional.max_pool2d
        # Five integer values, mostly negative: ties in every window, and a padding that counted as 0 would win.
        inputs = {"input": tensor(stream, (n, c) + extent, lambda u: np.floor(5 * u) - 4)}
        differentiate(tensors, prefix, inputs, lambda input: pool(
            input, kernel, stride, padding, dilation, ceil_mode=ceil), stream + 3)
    for (name, (n, c, extent, kernel, stride, padding, ceil)), counted in itertools.product(
            AVERAGE_POOLS.items(), (True, False)):
        prefix, stream = f"avgpool/{name}_{'counted' if counted else 'not_counted'}", next(streams)
        fields = [(extent, 1), (kernel, 1), (stride, 1), (padding, 0), ((1, 1, 1), 1)]
        geometry = sum((in_three_dimensions(*field) for field in fields), [n, c])
        tensors[prefix + "/geometry"] = np.array(geometry + [ceil, counted], np.int64)
        pool = functional.avg_pool3d if len(extent) == 3 else functional.avg_pool2d
        differentiate(tensors, prefix, {"input": tensor(stream, (n, c) + extent)}, lambda input: pool(
            input, kernel, stride, padding, ceil_mode=ceil, count_include_pad=counted), stream + 3)


def batch_norms(tensors, streams):
    """momentum 0.3, eps 1e-3, variances near eps: an eps of 1e-5 would show. The keys are those of ops.safetensors."""
    for name, shape in (("3d", (3, 2, 2, 1, 2)), ("2d", (2, 3, 3, 2)), ("1d", (6, 3))):
        batch_norm_values(tensors, "batchnorm/" + name, shape, 0.0, next(streams), momentum=0.3, eps=1e-3, scale=1 / 16)


def losses(tensors, streams):
    """options [3]: ignored label, label smoothing, place in REDUCE"""
    for name, (weighted, ignored, smoothing, reductions_of_it) in CROSS_ENTROPIES.items():
        for reduce in reductions_of_it:
            cross_entropy(tensors, f"cross_entropy/{name}_{reduce}", next(streams), weighted, ignored, smoothing,
                          REDUCE.index(reduce))
    cross_entropy(tensors, "cross_entropy/extreme", next(streams), True, -1, 0.1, 0, scale=2000.0)
    cross_entropy(tensors, "cross_entropy/all_ignored_sum", next(streams), True, -1, 0.1, 1, ignore=range(7))
    cross_entropy(tensors, "cross_entropy/all_ignored_none", next(streams), False, -1, 0.1, 2, ignore=range(7))
    for place, reduce in enumerate(REDUCE):
        prefix, stream, shape = "mse/" + reduce, next(streams), (5, 3)
        target = tensor(stream + 1, shape)
        tensors.update({prefix + "/target": target, prefix + "/options": np.array([place], np.int64)})
        differentiate(tensors, prefix, {"input": tensor(stream, shape)}, lambda input: functional.mse_loss(
            input, target.to(input.dtype), reduction=reduce), stream + 3)


def cross_entropy(tensors, prefix, stream, weighted, ignored, smoothing, place, scale=6.0, ignore=(1, 4)):
    samples, classes = 7, 5
    labels = torch.from_numpy(below(stream + 1, samples, classes))
    if ignored < 0:
        labels[list(ignore)] = ignored
    weights = tensor(stream + 2, (classes,), lambda u: 0.25 + u) if weighted else None
    tensors[prefix + "/labels"] = labels
    tensors[prefix + "/options"] = np.array([ignored, smoothing, place], np.float64)
    if weighted:
        tensors[prefix + "/class_weights"] = weights
    inputs = {"input": tensor(stream, (samples, classes), lambda u: (u - 0.5) * scale)}
    differentiate(tensors, prefix, inputs, lambda input: functional.cross_entropy(
        input, labels, weights if weights is None else weights.to(input.dtype), ignore_index=ignored,
        reduction=REDUCE[place], label_smoothing=smoothing), stream + 3)


def elementwise(tensors, streams):
    """The first numbers of an input of sigmoid and tanh are 0, small, and so large that a naive exp overflows."""
    special = torch.tensor([0.0, 1e-3, -1e-3, 20.0, -20.0, 100.0, -100.0, 1000.0, -1000.0])
    for name, function in (("sigmoid", torch.sigmoid), ("tanh", torch.tanh)):
        stream, shape = next(streams), (3, 4, 3)
        values = tensor(stream, shape, lambda u: (u - 0.5) * 12)
        values.view(-1)[:len(special)] = special
        differentiate(tensors, name + "/rank3", {"input": values}, function, stream + 3)
    for shape in ((7,), (2, 3, 2, 3)):
        stream = next(streams)
        inputs = {"input": tensor(stream, shape), "other": tensor(stream + 1, shape)}
        differentiate(tensors, f"mul/rank{len(shape)}", inputs, lambda input, other: input * other, stream + 3)
    stream = next(streams)
    inputs = {"input": tensor(stream, (5, 7)), "weight": tensor(stream + 1, (3, 7))}
    differentiate(tensors, "linear/no_bias", inputs, functional.linear, stream + 3)


def softmaxes(tensors, streams):
    """axis [1]. The last axis is given as -1, as users do; "extreme" has numbers to +-1000."""
    for name, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        cases = [(f"rank{len(s)}_axis{a}", s, a, 6.0) for s in ((2, 3, 4), (2, 3, 2, 3)) for a in range(len(s))]
        for case, shape, axis, scale in cases + [("extreme", (3, 5, 2), 1, 2000.0)]:
            prefix, stream = f"{name}/{case}", next(streams)
            given = axis if axis < len(shape) - 1 else -1
            tensors[prefix + "/axis"] = np.array([given], np.int64)
            inputs = {"input": tensor(stream, shape, lambda u: (u - 0.5) * scale)}
            differentiate(tensors, prefix, inputs, lambda input: function(input, given), stream + 3)


def reductions(tensors, streams):
    """options [1 + n]: whether the axes are kept (every other case does), axes. Extrema are over integers: ties."""
    keeps = itertools.cycle((False, True))
    for (how, function), (rank, (shape, sets)) in itertools.product(REDUCTIONS.items(), REDUCED_AXES.items()):
        for axes in sets:
            prefix, stream, keep = f"reduce/{how}_{rank}_axes_{'_'.join(map(str, axes))}", next(streams), next(keeps)
            tensors[prefix + "/options"] = np.array([keep, *axes], np.int64)
            values = (lambda u: np.floor(5 * u) - 2) if how in ("amax", "amin") else (lambda u: 2 * u - 1)
            differentiate(tensors, prefix, {"input": tensor(stream, shape, values)},
                          lambda input: function(input, axes, keepdim=keep), stream + 3)


def concatenations(tensors, streams):
    """axis [1]; three parts input0, input1, input2 of extents n, 1, n + 1 along it"""
    for rank, shape in CONCATENATED.items():
        for axis in range(len(shape)):
            prefix, stream = f"cat/{rank}_axis{axis}", next(streams)
            extents = [shape[axis], 1, shape[axis] + 1]
            parts = {f"input{i}": tensor(stream + i, shape[:axis] + (extent,) + shape[axis + 1:])
                     for i, extent in enumerate(extents)}
            given = axis if axis < len(shape) - 1 else -1
            tensors[prefix + "/axis"] = np.array([given], np.int64)
            differentiate(tensors, prefix, parts, lambda **v: torch.cat(list(v.values()), given), stream + 3)


def layer_values():
    tensors, streams = {}, itertools.count(FIRST_LAYER, 10)
    for values in (convolutions, pools, batch_norms, losses, elementwise, softmaxes, reductions, concatenations):
        values(tensors, streams)
    return tensors
