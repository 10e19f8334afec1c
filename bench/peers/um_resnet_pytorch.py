"""The 3D residual network of Nadler & To (2018) in PyTorch: the peer of umbra's um_resnet.

Input [N, 1, 25, 25, 25], output [N, 14]. Spatial extents: 25 -> conv1 15 -> pool 8 -> layer1 4 -> layer2 2 -> layer3 1.
The surprising parts: conv1 pads by 3 although its kernel is 3, so that the outermost outputs see only padding; every
layer, including the first, begins with a stride of 2 and hence a downsampled residual; the output itself is batch
normalised. fc1, fc2 and fc3 have biases before a batch norm: their true gradient is zero.
"""
import torch
from torch import nn
from torch.nn import functional

PARAMETER_COUNTS = {20: 859_142, 100: 20_255_862, 200: 80_663_762}


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions with batch norm and a residual connection."""

    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.conv1 = nn.Conv3d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels_out)
        self.conv2 = nn.Conv3d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels_out)
        self.downsample = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv3d(channels_in, channels_out, 1, stride=stride, bias=False), nn.BatchNorm3d(channels_out))

    def forward(self, x):
        residual = x if self.downsample is None else self.downsample(x)
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + residual)


class UmResnet(nn.Module):
    """channels is the paper's C (20, 100 or 200); dropout applies after each of the two hidden dense layers."""

    def __init__(self, channels=20, dropout=0.0, bins=14):
        super().__init__()
        self.conv1 = nn.Conv3d(1, channels, 3, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.pool = nn.MaxPool3d(3, stride=2, padding=1)
        self.layer1 = self._layer(channels, channels)
        self.layer2 = self._layer(channels, 2 * channels)
        self.layer3 = self._layer(2 * channels, 4 * channels)
        self.fc1 = nn.Linear(4 * channels, 320)
        self.fcbn1 = nn.BatchNorm1d(320)
        self.fc2 = nn.Linear(320, 80)
        self.fcbn2 = nn.BatchNorm1d(80)
        self.fc3 = nn.Linear(80, bins)
        self.fcbn3 = nn.BatchNorm1d(bins)
        self.dropout = dropout
        if bins == 14 and channels in PARAMETER_COUNTS:
            count = parameter_count(self)
            assert count == PARAMETER_COUNTS[channels], f"C = {channels}: {count} parameters"

    @staticmethod
    def _layer(channels_in, channels_out):
        return nn.Sequential(BasicBlock(channels_in, channels_out, 2), BasicBlock(channels_out, channels_out, 1))

    def forward(self, x):
        x = self.pool(functional.relu(self.bn1(self.conv1(x))))  # [N, C, 8, 8, 8]
        x = self.layer3(self.layer2(self.layer1(x))).flatten(1)  # [N, 4C]
        x = functional.dropout(functional.relu(self.fcbn1(self.fc1(x))), self.dropout, self.training)  # [N, 320]
        x = functional.dropout(functional.relu(self.fcbn2(self.fc2(x))), self.dropout, self.training)  # [N, 80]
        return self.fcbn3(self.fc3(x))  # [N, bins]


def parameter_count(net):
    return sum(p.numel() for p in net.parameters())


def chi2_linear(predicted, observed, sigma):
    """Mean over the batch of the sum over bins of ((predicted - observed) / sigma)^2."""
    return (((predicted - observed) / sigma) ** 2).sum(dim=1).mean()


if __name__ == "__main__":
    for width in PARAMETER_COUNTS:
        print(f"C = {width}: {parameter_count(UmResnet(width)):,} parameters")
    with torch.no_grad():
        print("output", tuple(UmResnet(20)(torch.zeros(2, 1, 25, 25, 25)).shape))
