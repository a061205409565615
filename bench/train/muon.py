"""Muon: momentum whose update is made orthogonal, for matrices inside the network.

Keller Jordan et al., 2024; the update's size is that of AdamW's (0.2 by entry at a learning rate of 1; Liu et al.,
2025), so that both share one learning rate. Heads are made orthogonal each by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(matrices: Tensor) -> Tensor:
    """About the nearest matrices with singular values of one, by five Newton-Schulz steps [..., rows, columns]."""
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = matrices if wide else matrices.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    def __init__(self, groups: list[dict[str, object]], lr: float, momentum: float = 0.95) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                momentum = state.setdefault("momentum", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonal(parameter.grad.lerp(momentum, group["momentum"]))
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-0.2 * max(parameter.shape[-2:]) ** 0.5 * group["lr"])
