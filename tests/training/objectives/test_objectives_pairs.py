"""P3O and SPPO on replies of a group: who is paired with whom, and which way each is pulled."""

import math

import pytest
import torch
from torch import Tensor

from training.objectives.losses import p3o_loss
from training.objectives.pairs import pair_loss
from training.objectives.settings import PolicySettings

MASK = torch.tensor([[[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 1]]]).bool()
WORTH = torch.tensor([[2.0, -1.0, 0.5, 0.0]])


def settings(loss: str, **more: float) -> PolicySettings:
    return PolicySettings.model_validate({"loss": loss, "copies": 4, **more})


def logps(seed: int = 0) -> Tensor:
    return -torch.rand(1, 4, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pull(loss: str, worth: Tensor, **more: float) -> Tensor:
    """The way in which descent moves each reply's tokens, (4, 3)."""
    now = logps().requires_grad_()
    pair_loss(now, logps(), MASK, worth, settings(loss, **more)).backward()
    assert now.grad is not None
    return -now.grad[0]


def test_p3o_pairs_neighbours_and_takes_a_replys_mean() -> None:
    now, old = logps(1), logps(2)
    means = [(x * MASK).sum(2)[0] / MASK.sum(2)[0] for x in (now, old)]
    wanted = p3o_loss(*((x[[0, 2]], x[[1, 3]]) for x in means), (WORTH[0, [0, 2]], WORTH[0, [1, 3]]))  # type: ignore[arg-type]
    torch.testing.assert_close(pair_loss(now, old, MASK, WORTH, settings("p3o")), wanted)
    joint = pair_loss(now, old, MASK, WORTH, settings("p3o_joint"))
    assert joint != wanted


@pytest.mark.parametrize("loss", ["p3o", "p3o_joint", "sppo"])
def test_what_all_replies_to_a_context_have_in_common_does_not_count(loss: str) -> None:
    torch.testing.assert_close(pull(loss, WORTH + 7), pull(loss, WORTH))


@pytest.mark.parametrize("loss", ["p3o", "p3o_joint", "sppo"])
def test_equal_replies_stay_as_they_are(loss: str) -> None:
    assert pull(loss, torch.ones(1, 4)).abs().max() == 0


@pytest.mark.parametrize("loss", ["p3o", "p3o_joint"])
def test_p3o_makes_the_better_of_each_pair_likelier(loss: str) -> None:
    signs = pull(loss, WORTH).sum(1).sign()
    assert signs.tolist() == [1, -1, 1, -1]


def test_sppo_moves_the_best_and_the_worst_alone() -> None:
    signs = pull("sppo", WORTH).sum(1).sign()
    assert signs.tolist() == [1, -1, 0, 0]


def test_sppo_is_content_where_the_log_ratio_is_the_win_rates() -> None:
    beta = 0.25
    wins = torch.sigmoid(WORTH[0].double().unsqueeze(1) - WORTH[0].double()).mean(1)
    old = logps()
    now = old.clone()
    for reply in (0, 1):
        length = int(MASK[0, reply].sum())
        now[0, reply, :length] += (wins[reply] - 0.5) / beta / length
    assert float(pair_loss(now, old, MASK, WORTH.double(), settings("sppo", sppo_beta=beta))) == pytest.approx(0, abs=1e-12)
    assert float(pair_loss(old, old, MASK, WORTH.double(), settings("sppo", sppo_beta=beta))) > 0.1


def test_a_token_that_is_not_there_is_not_moved() -> None:
    for loss in ("p3o", "p3o_joint", "sppo"):
        moved = pull(loss, WORTH)
        assert moved[~MASK[0]].abs().max() == 0
        assert math.isfinite(float(moved.abs().sum()))
