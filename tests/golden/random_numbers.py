"""The random numbers of engine/base/philox.h: Philox4x32-10 (Salmon et al. 2011) and its convention of streams."""
import math

import numpy as np
import torch

SEED, PURPOSE_TEST = 2018, 6


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
