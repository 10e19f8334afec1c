"""The initial parameters of the goldens' networks, which are not stored."""
import math

import torch
from random_numbers import tensor

FIRST_PARAMETER = 100  # stream


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


def set_parameters(net):
    parameters = dict(net.named_parameters())
    with torch.no_grad():
        for name, stream, kind, scale in parameter_recipe(net):
            one = 1.0 if kind == "bn_weight" else 0.0
            parameters[name].copy_(tensor(stream, parameters[name].shape, lambda u: one + (u - 0.5) * scale))
    return net
