"""Formats of quantised weights: a weight in, its codes, scales and the values that these stand for out. Pure.

Only what a format does to the values is computed, in fp32; nothing is packed. NF4 and FP4 are those of bitsandbytes
0.50.2 bit for bit (arXiv 2305.14314 has NF4's levels; "4 bit" of arXiv 2410.16454 is FP4), the others round to nearest
on a symmetric grid of integers.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

BLOCK = 64  # consecutive values of the flattened weight that share a scale, in nf4 and fp4
GROUP = 128  # inputs of one row that share a scale, in int4 and int3
SMALLEST = 1e-38  # in the place of the scale of zeros, by which nothing could be divided

NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635),
    *(-0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725),
    *(0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
_FP4 = (0.0, 0.0625, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # in twelfths
FP4 = (*(-twelfths / 12 for twelfths in reversed(_FP4)), *(twelfths / 12 for twelfths in _FP4))


class Quantised(NamedTuple):
    """A quantised weight: `codes` say which level or integer each value is, `values` [out, in] what it stands for."""

    codes: Tensor  # [out, in], int16
    scales: Tensor  # one for each block, row or group
    values: Tensor  # of the weight's own dtype


def of_blocks(weight: Tensor, levels: tuple[float, ...]) -> Quantised:
    """The nearest of some levels times the largest magnitude of a block of 64; the lower one where two are as near.

    Blocks are of the flattened weight, the last may be shorter. bitsandbytes multiplies by the scale's reciprocal,
    which differs from a division in the last bit, and so where two levels are as near.
    """
    flat = weight.flatten().float()
    padded = torch.nn.functional.pad(flat, (0, -flat.numel() % BLOCK)).view(-1, BLOCK)
    scales = padded.abs().amax(dim=1)  # [blocks]
    parts = (padded * (1 / scales.clamp(min=SMALLEST))[:, None]).clamp(-1, 1)
    table = torch.tensor(levels, dtype=torch.float32, device=weight.device)
    codes = torch.bucketize(parts, (table[:-1] + table[1:]) / 2)
    values = (table[codes] * scales[:, None]).flatten()[: flat.numel()]
    codes = codes.flatten()[: flat.numel()].to(torch.int16)
    return Quantised(codes.view(weight.shape), scales, values.view(weight.shape).to(weight.dtype))


def of_rows(weight: Tensor) -> Quantised:
    """Integers of -127 to 127, a scale for each output: LLM.int8() without outliers, which reads weights in fp16."""
    return _rounded(weight, weight.half().float(), 127)


def of_groups(weight: Tensor, largest: int) -> Quantised:
    """Integers of -largest to largest, a scale for each output and 128 inputs; the last group may be shorter."""
    groups = [_rounded(part, part.float(), largest) for part in weight.split(GROUP, dim=1)]
    codes, scales, values = (torch.cat(parts, dim=1) for parts in zip(*groups, strict=True))
    return Quantised(codes, scales, values)


def _rounded(weight: Tensor, wide: Tensor, largest: int) -> Quantised:
    """Each row as integers times its largest magnitude / largest. A tie goes to the even one."""
    scales = wide.abs().amax(dim=1, keepdim=True)
    codes = torch.round(wide * (largest / scales.clamp(min=largest * SMALLEST)))
    return Quantised(codes.to(torch.int16), scales, (codes * (scales / largest)).to(weight.dtype))


FORMATS: dict[str, Callable[[Tensor], Quantised]] = {
    "nf4": partial(of_blocks, levels=NF4),
    "fp4": partial(of_blocks, levels=FP4),
    "int8": of_rows,
    "int4": partial(of_groups, largest=7),
    "int3": partial(of_groups, largest=3),
}
