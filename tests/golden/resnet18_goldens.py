"""ResNet18 for make_goldens.py: torchvision's network on images of 224 pixels, and the stem of small images.

The same recipe for parameters as the 3D network; images are uniform in [-1, 1).
"""
import torch
from comparison_goldens import Block2d, sampled
from parameter_recipe import set_parameters
from random_numbers import tensor
from torch import nn
from torch.nn import functional

BATCH, CLASSES, IMAGES, TARGETS = 2, 10, 1, 3


class ResNet18(nn.Module):
    def __init__(self, small, channels, channels_in):
        super().__init__()
        self.conv1 = (nn.Conv2d(channels_in, channels, 3, padding=1, bias=False) if small else
                      nn.Conv2d(channels_in, channels, 7, stride=2, padding=3, bias=False))
        self.bn1, self.pools = nn.BatchNorm2d(channels), not small
        widths = [channels] + [channels << layer for layer in range(4)]
        for layer in range(4):
            first = Block2d(widths[layer], widths[layer + 1], 1 if layer == 0 else 2)
            self.add_module(f"layer{layer + 1}", nn.Sequential(first, Block2d(widths[layer + 1], widths[layer + 1], 1)))
        self.fc = nn.Linear(widths[-1], CLASSES)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, 2, 1) if self.pools else x
        for layer in range(1, 5):
            x = self.get_submodule(f"layer{layer}")(x)
        return self.fc(x.mean((2, 3)))


NETWORKS = {"torchvision": (False, 64, 3, 224), "small": (True, 4, 2, 32)}  # small stem, channels, of the input, side


def resnet18_values():
    tensors = {}
    for name, (small, channels, channels_in, side) in NETWORKS.items():
        for dtype, mark in ((torch.float32, ""), (torch.float64, "f64/")):
            net = set_parameters(ResNet18(small, channels, channels_in)).to(dtype)
            x = tensor(IMAGES, (BATCH, channels_in, side, side)).to(dtype)
            output = net(x)
            tensors[f"{mark}{name}/output"] = output.detach()
            if small:
                functional.mse_loss(output, tensor(TARGETS, (BATCH, CLASSES), lambda u: 0.5 + u).to(dtype)).backward()
                for parameter, p in net.named_parameters():
                    tensors[f"{mark}{name}/grad/{parameter}"] = sampled(p.grad)
            net.eval()
            with torch.no_grad():
                tensors[f"{mark}{name}/eval_output"] = net(x)
    return tensors
