"""The reward spec: what a reply's faults cost, what the judge is asked, and how it all becomes one number; as one versioned document.

Decided here: the document's form, when it is sound (every rule of the guard has a weight, no other name has one), and what changed between
two of them. What the rules find is ``agent.guardrails``; where versions are kept and approved is ``training.rewards.approval``.
"""

import hashlib
import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agent.domain import Reply
from agent.guardrails import RULES, Rule
from db.errors import ParleyError
from db.vocabulary import Severity
from training.judging import Rubric, shipped_rubric
from training.rewards.patterns import PatternRule

GUARD_RULES: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
"""The guard's own rules by name: the same objects that judge a live reply."""


class SpecError(ParleyError):
    """A reward spec that cannot be used; names where it came from and everything that is wrong with it."""


class Ramp(BaseModel):
    """A weight that grows with the reply's length: ``mildest`` up to ``start`` characters, ``worst`` from ``end`` on, linear between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mildest: float = Field(le=0, ge=-1000)
    worst: float = Field(le=0, ge=-1000)
    start: int = Field(ge=0)
    end: int

    @model_validator(mode="after")
    def _rises(self) -> "Ramp":
        if self.end <= self.start:
            raise ValueError(f"a ramp must end after it starts, but it goes from {self.start} to {self.end} characters")
        if self.worst > self.mildest:
            raise ValueError(f"the worst ({self.worst:g}) must not be milder than the mildest ({self.mildest:g})")
        return self

    def at(self, length: int) -> float:
        """The weight of a reply of so many characters."""
        share = min(max((length - self.start) / (self.end - self.start), 0.0), 1.0)
        return self.mildest + share * (self.worst - self.mildest)


Fault = float | Ramp
"""What a breach of a guard rule costs: never above zero."""


class RewardSpec(BaseModel):
    """Everything that turns a reply into a reward, but for the weights of the models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1)
    n: float = Field(default=100.0, gt=0, allow_inf_nan=False)
    """Bound of the enhancement: E is clipped to ±n."""
    combine: Literal["repo", "sum"] = "repo"
    """REPO's product, or the plain sum that it is compared with."""
    sum_weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Of E / n in the plain sum."""
    veto: bool = False
    """A severe breach overrides everything else."""
    veto_value: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    """A vetoed reply gets minus this: far below what a reward of unit deviation comes to."""
    rules: dict[str, Fault]
    """For each rule of the guard what a breach costs; 0 switches it off."""
    patterns: tuple[PatternRule, ...] = ()
    """Further rules, as data."""
    rubric: Rubric = Field(default_factory=shipped_rubric)
    """What the judge is asked; the one that ships where none is given."""

    @field_validator("rules")
    @classmethod
    def _are_the_guards(cls, rules: dict[str, Fault]) -> dict[str, Fault]:
        known = ", ".join(sorted(GUARD_RULES))
        for name, weight in rules.items():
            if name not in GUARD_RULES:
                near = get_close_matches(name, GUARD_RULES, n=1)
                meant = f"did you mean {near[0]!r}? " if near else ""
                raise ValueError(f"there is no rule {name!r}: {meant}The guard's rules are {known}; rules of your own go under patterns")
            if not isinstance(weight, Ramp) and not -1000 <= weight <= 0:
                raise ValueError(f"the weight of {name!r} is {weight:g}: a breach costs between 0 (switched off) and -1000")
        if missing := [name for name in GUARD_RULES if name not in rules]:
            raise ValueError(f"these rules of the guard have no weight: {', '.join(missing)}; give each one, 0 to switch it off")
        return {name: rules[name] for name in GUARD_RULES}

    @model_validator(mode="after")
    def _pattern_names_are_their_own(self) -> "RewardSpec":
        seen: set[str] = set()
        for rule in self.patterns:
            if rule.name in GUARD_RULES:
                raise ValueError(f"the pattern rule {rule.name!r} has the name of a rule of the guard: choose another")
            if rule.name in seen:
                raise ValueError(f"two pattern rules are called {rule.name!r}: choose another name for one")
            seen.add(rule.name)
        return self

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The guard's rules, then the spec's own."""
        return (*RULES, *self.patterns)

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the version: two specs with the same one give the same rewards."""
        body = {key: value for key, value in self.body().items() if key != "version"}
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()

    def body(self) -> dict[str, Any]:
        """The whole spec as JSON values."""
        return self.model_dump(mode="json")

    def weight(self, rule: str, reply: Reply, severity: Severity) -> float:
        """What a breach of a rule, of this severity at its worst, is worth in this reply.

        A ramp is for the rule's minor breaches; a graver one (a reply without a word, which is short as well) costs its worst.
        """
        for pattern in self.patterns:
            if pattern.name == rule:
                return pattern.weight
        fault = self.rules[rule]
        if not isinstance(fault, Ramp):
            return fault
        return fault.at(len(reply.text)) if severity is Severity.MINOR else fault.worst

    def with_version(self, version: int) -> "RewardSpec":
        """The same spec under another number. Raises SpecError for a number below 1."""
        return parse_spec({**self.body(), "version": version}, source=f"Version {version}")

    def with_weight(self, rule: str, weight: Fault) -> "RewardSpec":
        """The spec with another weight for one rule, of the guard or of its own. Raises SpecError for an unknown rule or a bad weight."""
        body = self.body()
        value = weight.model_dump(mode="json") if isinstance(weight, Ramp) else weight
        own = {pattern["name"]: pattern for pattern in body["patterns"]}
        if rule in own:
            own[rule]["weight"] = value
        else:
            body["rules"][rule] = value
        return parse_spec(body, source="The spec with the changed weight")

    def with_pattern(self, rule: PatternRule) -> "RewardSpec":
        """The spec with a further rule, in the place of the one of its name where there is one. Raises SpecError."""
        patterns = {pattern.name: pattern for pattern in self.patterns} | {rule.name: rule}
        body = self.body() | {"patterns": [pattern.model_dump(mode="json") for pattern in patterns.values()]}
        return parse_spec(body, source="The spec with the new rule")

    def without_pattern(self, name: str) -> "RewardSpec":
        """The spec without a rule of its own. Raises SpecError where it has none of that name."""
        if all(pattern.name != name for pattern in self.patterns):
            own = ", ".join(pattern.name for pattern in self.patterns) or "none"
            raise SpecError(f"The spec has no pattern rule {name!r}; it has {own}. A rule of the guard is switched off by weight 0")
        return self.model_copy(update={"patterns": tuple(pattern for pattern in self.patterns if pattern.name != name)})


def parse_spec(body: object, *, source: str) -> RewardSpec:
    """A spec from JSON values; ``source`` names it in an error. Raises SpecError."""
    try:
        return RewardSpec.model_validate(body)
    except ValidationError as error:
        raise SpecError(f"{source} is not a reward spec. {_sentences(error)}") from error


def load_spec(path: Path) -> RewardSpec:
    """Read a spec from a YAML file. Raises SpecError naming the file."""
    return parse_spec(_yaml(path), source=str(path))


def load_change(path: Path) -> RewardSpec | PatternRule:
    """Read what somebody would change from a YAML file: one rule of their own, or a whole spec. Raises SpecError naming the file."""
    body = _yaml(path)
    if isinstance(body, dict) and "pattern" not in body:
        return parse_spec(body, source=str(path))
    try:
        return PatternRule.model_validate(body)
    except ValidationError as error:
        raise SpecError(f"{path} is neither a rule nor a reward spec. As a rule: {_sentences(error)}") from error


@cache
def shipped_spec() -> RewardSpec:
    """The spec that ships with Parley."""
    return load_spec(Path(__file__).parent / "spec.yaml")


def _yaml(path: Path) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(f"{path} cannot be read as YAML: {error}") from error


def _sentences(error: ValidationError) -> str:
    found = ((".".join(map(str, part["loc"])), part["msg"].removeprefix("Value error, ")) for part in error.errors())
    return "; ".join(f"{where}: {message}" if where else message for where, message in found)


class _UniqueKeys(yaml.SafeLoader):
    """YAML that does not let the second of two equal keys win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            keys = [key.value for key, _ in node.value]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands there twice: leave one", node.start_mark)
        return mapping


# -- what changed -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs between two specs. ``old`` is None where it is new, ``new`` where it is gone."""

    path: str
    """Where it stands: ``rules.promises``, ``patterns.last_chance.weight``, ``rubric.items.empathy``."""
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path}: new, {_shown(self.new)}"
        if self.new is None:
            return f"{self.path}: taken out, was {_shown(self.old)}"
        return f"{self.path}: {_shown(self.old)} → {_shown(self.new)}"


def diff(old: RewardSpec, new: RewardSpec) -> list[Change]:
    """What changed, but for the version; empty for two specs that give the same rewards."""
    return diff_bodies(old.body(), new.body())


def diff_bodies(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The same for stored bodies, of which an old one may come from a release with other rules."""
    return [change for change in _differences("", old, new) if change.path != "version"]


def _differences(path: str, old: Any, new: Any) -> Iterator[Change]:
    before, after = _by_name(old), _by_name(new)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(f"{path}.{key}".lstrip("."), before.get(key), after.get(key))
        if list(before) != list(after) and set(before) == set(after) and isinstance(old, list):
            yield Change(path=f"{path} (order)", old=list(before), new=list(after))
    elif before != after:
        yield Change(path=path, old=old, new=new)


def _by_name(value: Any) -> Any:
    """A list of named things as a mapping, so that one that is put in between does not make all the later ones differ."""
    if isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value):
        return {item["name"]: item for item in value}
    return value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
