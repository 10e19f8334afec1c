"""ResNet18 in PyTorch, equal to torchvision's network but without torchvision: the peer of models/resnet18."""
import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.downsample = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False), nn.BatchNorm2d(channels_out))

    def forward(self, x):
        residual = x if self.downsample is None else self.downsample(x)
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + residual)


class ResNet18(nn.Module):
    def __init__(self, classes=1000, channels=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        widths = [channels, channels, 2 * channels, 4 * channels, 8 * channels]
        self.layers = nn.Sequential(*[
            nn.Sequential(Block(widths[i], widths[i + 1], 1 if i == 0 else 2), Block(widths[i + 1], widths[i + 1], 1))
            for i in range(4)])
        self.fc = nn.Linear(8 * channels, classes)
        assert (classes, channels) != (1000, 64) or sum(p.numel() for p in self.parameters()) == 11_689_512

    def forward(self, x):
        x = self.pool(functional.relu(self.bn1(self.conv1(x))))
        return self.fc(self.layers(x).mean(dim=(2, 3)))


if __name__ == "__main__":
    print("output", tuple(ResNet18()(torch.zeros(2, 3, 64, 64)).shape))
