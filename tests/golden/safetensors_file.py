"""safetensors: 8 bytes of header length, a JSON header, raw little-endian data."""
import json
import os
import struct

import numpy as np
import torch

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
