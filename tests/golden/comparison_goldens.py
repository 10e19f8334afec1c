"""um_resnet2d with both kinds of blocks and um_dense for make_goldens.py: one pass forward and backward each.

Samples have F channels of features and P of parameters; the same recipe for parameters and inputs as the 3D network.
"""
import math

import numpy as np
import torch
from parameter_recipe import set_parameters
from random_numbers import below, tensor, uniform
from torch import nn
from torch.nn import functional

BATCH, FEATURES, PARAMETERS, BINS, CHANNELS = 4, 2, 2, 14, 4
SAMPLES, SAMPLE_COUNT, PARAMETER_STREAM = 60, 64, 5


def split(x):
    """[N, F + P, V, V, V] -> [N, F, V, V, V] and [N, P]"""
    return x[:, :FEATURES], x[:, FEATURES:].mean((2, 3, 4))


class Block2d(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride=stride, bias=False),
                                            nn.BatchNorm2d(channels))

    def forward(self, x):
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        return functional.relu(self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))) + shortcut)


class Residual(nn.Module):
    def __init__(self, voxels, c=CHANNELS):
        super().__init__()
        self.conv1 = nn.Conv2d(FEATURES * voxels, c, 3, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        for layer, (channels_in, channels) in enumerate(((c, c), (c, 2 * c), (2 * c, 4 * c)), 1):
            blocks = nn.Sequential(Block2d(channels_in, channels, 2), Block2d(channels, channels, 1))
            self.add_module(f"layer{layer}", blocks)
        self.fc1, self.fcbn1 = nn.Linear(4 * c + PARAMETERS, 320), nn.BatchNorm1d(320)
        self.fc2, self.fcbn2 = nn.Linear(320, 80), nn.BatchNorm1d(80)
        self.fc3, self.fcbn3 = nn.Linear(80, BINS), nn.BatchNorm1d(BINS)

    def forward(self, x):
        x, parameters = split(x)
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x.flatten(1, 2)))), 3, 2, 1)
        x = self.layer3(self.layer2(self.layer1(x)))
        x = torch.cat([x.flatten(1), parameters], 1)
        x = functional.relu(self.fcbn1(self.fc1(x)))
        x = functional.relu(self.fcbn2(self.fc2(x)))
        return self.fcbn3(self.fc3(x))


class Plain(nn.Module):
    def __init__(self, voxels, c=CHANNELS):
        super().__init__()
        widths = (FEATURES * voxels, c, 2 * c, 4 * c)
        for i in (1, 2, 3):
            self.add_module(f"conv{i}", nn.Conv2d(widths[i - 1], widths[i], 3, padding=1, bias=False))
            self.add_module(f"bn{i}", nn.BatchNorm2d(widths[i]))
        self.fc1, self.fcbn1 = nn.Linear(4 * c * (voxels // 8) ** 2 + PARAMETERS, 68), nn.BatchNorm1d(68)
        self.fc2 = nn.Linear(68, BINS)

    def forward(self, x):
        x, parameters = split(x)
        x = x.flatten(1, 2)
        for i in (1, 2, 3):
            conv, bn = self.get_submodule(f"conv{i}"), self.get_submodule(f"bn{i}")
            x = functional.relu(functional.max_pool2d(bn(conv(x)), 2))
        return self.fc2(functional.relu(self.fcbn1(self.fc1(torch.cat([x.flatten(1), parameters], 1)))))


class Dense(nn.Module):
    def __init__(self, voxels):
        super().__init__()
        self.fc1, self.fcbn1 = nn.Linear(FEATURES * voxels**3 + PARAMETERS, 1000), nn.BatchNorm1d(1000)
        self.fc2, self.fcbn2 = nn.Linear(1000, 150), nn.BatchNorm1d(150)
        self.fc3 = nn.Linear(150, BINS)

    def forward(self, x):
        x, parameters = split(x)
        x = functional.relu(self.fcbn1(self.fc1(torch.cat([x.flatten(1), parameters], 1))))
        return self.fc3(functional.relu(self.fcbn2(self.fc2(x))))


NETWORKS = {"residual": (Residual, 25), "plain": (Plain, 25), "dense": (Dense, 5)}  # and voxels per side


def make_input(voxels, dtype):
    shape = (BATCH, FEATURES, voxels, voxels, voxels)
    n = math.prod(shape)
    maps = np.where(uniform(1, n) < 0.04, (150 + 450 * uniform(2, n)) / 300, 0.0).astype(np.float32)
    parameters = tensor(PARAMETER_STREAM, (BATCH, PARAMETERS, 1, 1, 1)).expand(-1, -1, *shape[2:])
    return torch.cat([torch.from_numpy(maps.reshape(shape)), parameters], 1).to(dtype)


def sampled(value):
    """All elements, or the 64 that the index rule names."""
    flat = value.flatten()
    if flat.numel() <= SAMPLE_COUNT:
        return flat
    return flat[torch.from_numpy(below(SAMPLES, SAMPLE_COUNT, flat.numel()))]


def comparison_values():
    tensors = {}
    for name, (network, voxels) in NETWORKS.items():
        for dtype, mark in ((torch.float32, ""), (torch.float64, "f64/")):
            net = set_parameters(network(voxels)).to(dtype)
            x, target = make_input(voxels, dtype), tensor(3, (BATCH, BINS), lambda u: 0.5 + u).to(dtype)
            output = net(x)
            functional.mse_loss(output, target).backward()
            tensors[f"{mark}{name}/output"] = output.detach()
            for parameter, p in net.named_parameters():
                tensors[f"{mark}{name}/grad/{parameter}"] = sampled(p.grad)
            net.eval()
            with torch.no_grad():
                tensors[f"{mark}{name}/eval_output"] = net(x)
    return tensors
