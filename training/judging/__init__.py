"""The judge's side of the reward (RJ): a versioned rubric, the prompt that asks it of a model, and what its answer is worth."""

from training.judging.prompt import judgement_schema, render_judge
from training.judging.rubric import Item, Marks, Rubric, RubricError, load_rubric, shipped_rubric

__all__ = ["Item", "Marks", "Rubric", "RubricError", "judgement_schema", "load_rubric", "render_judge", "shipped_rubric"]
