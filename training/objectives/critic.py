"""The critic: what a reply is expected to be worth at each of its tokens, before the token is said.

Decided here: what a value is read from, and that the critic looks after itself: own optimiser, own clipping, own file in each checkpoint.
TRL's and transformers' loops zero and clip the gradients of the policy alone; a critic that left this to them would add up its gradients
for ever, and no reward curve would show it.
"""

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from db.errors import ParleyError
from training.objectives.losses import explained_variance, value_loss
from training.objectives.packing import Packed
from training.objectives.settings import PolicySettings

FILE = "critic.pt"


class CriticError(ParleyError):
    """A stored critic that does not belong to this run."""


class Critic(nn.Module):
    """A small perceptron on hidden states: those of the reference, computed for the KL anyway, or those of a trunk of its own."""

    def __init__(self, hidden: int, settings: PolicySettings, *, trunk: nn.Module | None = None, spec: str = "") -> None:
        """``hidden`` is the states' width; ``trunk`` is its own and learns with the head; ``spec`` names the reward that values are of.

        It begins on the CPU. Move it before it learns or is restored: its optimiser's memory does not move with it.
        """
        super().__init__()
        self._settings, self.spec = settings, spec
        self.trunk = None if trunk is None else trunk.requires_grad_(True)
        last = nn.Linear(hidden, 1)
        nn.init.zeros_(last.weight)
        self.head = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.GELU(), last)
        self.optimiser: torch.optim.Optimizer = torch.optim.AdamW(self.parameters(), lr=settings.critic_learning_rate, weight_decay=0.0)

    @property
    def needs_states(self) -> bool:
        """Whether it reads the reference's hidden states."""
        return self.trunk is None

    def forward(self, states: Tensor | None, packed: Packed) -> Tensor:
        """Values (N, G, T); ``states`` (N, G, T, H) are the reference's, not looked at by a critic with a trunk."""
        if self.trunk is not None:
            output = cast(Any, self.trunk)(input_ids=packed.ids, attention_mask=packed.mask, position_ids=packed.positions, use_cache=False)
            states = packed.unpack(output.last_hidden_state[:, -packed.branch_length :])
        assert states is not None, "without a trunk the states are given"
        return self.head(states.float()).squeeze(-1)

    def learn(self, states: Tensor | None, packed: Packed, old_values: Tensor, returns: Tensor, mask: Tensor) -> float:
        """One minibatch, ``critic_epochs`` times; the last loss. A frozen critic only says how far off it is."""
        loss = torch.zeros((), device=returns.device)
        flat = [x.flatten(0, 1) for x in (old_values, returns, mask)]
        for _ in range(self._settings.critic_epochs):
            self.optimiser.zero_grad(set_to_none=True)
            loss = value_loss(self(states, packed).flatten(0, 1), *flat, clip=self._settings.value_clip)
            if self._settings.critic == "frozen":
                break
            loss.backward()
            self._average_gradients()
            nn.utils.clip_grad_norm_(self.parameters(), self._settings.critic_clip_gradient)
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _average_gradients(self) -> None:
        """Over the processes, where there are several."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            count = torch.distributed.get_world_size()
            for parameter in self.parameters():
                if parameter.grad is not None:
                    torch.distributed.all_reduce(parameter.grad)
                    parameter.grad /= count

    def save(self, folder: Path) -> None:
        """Weights and optimiser, into a checkpoint."""
        state = {"weights": self.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**state, "spec": self.spec, "values_ends": self._settings.values_ends}, folder / FILE)

    def restore(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            CriticError: if there is none, if it has another shape, or if its values are of another reward or other places in a reply.
        """
        path = folder / FILE
        if not path.is_file():
            raise CriticError(f"{folder} holds no critic ({FILE}): it was left by an objective without one, or is damaged")
        state = torch.load(path, map_location=next(self.parameters()).device, weights_only=True)
        if state["spec"] != self.spec:
            raise CriticError(f"the critic in {path} is of reward spec {state['spec']!r}, this run's is {self.spec!r}: fit it anew")
        if state["values_ends"] != self._settings.values_ends:
            raise CriticError(f"the critic in {path} was fitted for another advantage: only one fitted with 'value' knows a reply's end")
        try:
            self.load_state_dict(state["weights"])
        except RuntimeError as error:
            raise CriticError(f"the critic in {path} has another shape: {str(error).splitlines()[0]}") from error
        self.optimiser.load_state_dict(state["optimiser"])


def skill(values: Tensor, returns: Tensor, mask: Tensor) -> float:
    """Explained variance over all tokens, (N, G, T) each: 1 is perfect, 0 knows only the mean, nan where there is nothing to explain."""
    return float(explained_variance(values.flatten(0, 1), returns.flatten(0, 1), mask.flatten(0, 1)))
