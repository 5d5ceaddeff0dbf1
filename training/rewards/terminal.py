"""Reward specs in a terminal: versions as a table, a change as a list, a rule tried on what was really said.

Decided here: how a spec and a person are named on a command line, and what is printed. Who may bring a version into force is
``approval``'s to say.
"""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import User
from db.repositories import reward_specs, users
from db.vocabulary import Role
from training.rewards import approval
from training.rewards.preview import Preview, preview
from training.rewards.spec import Change, RewardSpec, diff, load_change, load_spec, shipped_spec
from training.starter.progress import BuildEvent, bars

IN_FORCE, SHIPPED = "in-force", "shipped"
"""Names of the spec that runs take, and of the one that comes with this release."""
_MAY = frozenset({Role.OPS, Role.ADMIN})
_WIDEST = 100


class PersonRefused(ParleyError):
    """Somebody who is not there, or who may not change what replies are rewarded for."""


def named_spec(session: Session, name: str) -> RewardSpec:
    """A spec by ``in-force``, ``shipped``, the number of a version or a YAML file.

    Raises:
        SpecNotFound: there is no such version.
        SpecError: the file cannot be read, or the spec cannot be used.
    """
    if name == IN_FORCE:
        return approval.in_force(session)
    if name == SHIPPED:
        return shipped_spec()
    if name.isdecimal():
        return approval.read(reward_specs.get(session, int(name)))
    return load_spec(Path(name))


def person(session: Session, email: str) -> UUID:
    """Who acts, by their address. Raises PersonRefused."""
    user = users.find_by_email(session, email)
    if user is None or user.disabled_at is not None:
        raise PersonRefused(f"Nobody who may sign in has the address {email}: name the account of whoever answers for the change (--as).")
    if not _MAY.intersection(user.roles):
        raise PersonRefused(f"{user.name} is neither of operations nor an administrator, who alone may change the reward spec.")
    return user.id


# -- commands; each returns the exit status ---------------------------------------------------------------------------------------------


def list_specs(sessions: SessionFactory, *, console: Console) -> int:
    """Every version, the newest first."""
    table = Table("version", "status", "from", "proposed by", "approved by", "changes", "why")
    with sessions() as session:
        rows = reward_specs.list_all(session)
        current = reward_specs.find_in_force(session)
        for row in rows:
            status = "in force" if current is not None and row.version == current.version else str(row.status)
            count = len(approval.changes(session, row.version))
            table.add_row(
                str(row.version), status, str(row.parent or ""), _name(row.author), _name(row.approver), str(count or ""), escape(row.note)
            )
    if rows:
        console.print(table)
    else:
        console.print(f"No version is stored: version {shipped_spec().version}, which comes with Parley, is in force.", highlight=False)
    return 0


def show_spec(sessions: SessionFactory, name: str, *, write: Callable[[str], object]) -> int:
    """The whole spec as YAML, which ``parley spec propose`` takes again once it is edited. Raises SpecNotFound, SpecError."""
    with sessions() as session:
        spec = named_spec(session, name)
    write(yaml.safe_dump(spec.body(), sort_keys=False, allow_unicode=True, width=_WIDEST))
    return 0


def diff_specs(sessions: SessionFactory, old: str, new: str, *, console: Console) -> int:
    """What differs between two specs. Raises SpecNotFound, SpecError."""
    with sessions() as session:
        found = diff(named_spec(session, old), named_spec(session, new))
    _tell_changes(found, console)
    if not found:
        console.print("They give the same rewards.")
    return 0


def propose_spec(sessions: SessionFactory, file: Path, *, note: str, email: str, console: Console) -> int:
    """Store a whole spec, or what is in force with one more rule, as a draft. Raises SpecError, PersonRefused, ProposalRefused."""
    change = load_change(file)
    with sessions.begin() as session:
        # Nothing may come into force between reading what is and adding to it.
        reward_specs.lock(session)
        spec = change if isinstance(change, RewardSpec) else approval.in_force(session).with_pattern(change)
        version = approval.propose(session, spec, note=note, actor=person(session, email))
        found = approval.changes(session, version)
    console.print(f"Version {version} is a draft, until somebody else approves it: [b]parley spec approve {version}[/]", highlight=False)
    _tell_changes(found, console)
    return 0


def approve_spec(sessions: SessionFactory, version: int, *, email: str, console: Console) -> int:
    """Put a draft in force. Raises SpecNotFound, SpecError, PersonRefused, ApprovalRefused."""
    with sessions.begin() as session:
        found = approval.changes(session, version)
        approval.approve(session, version, actor=person(session, email))
    console.print(f"Version {version} is in force.", highlight=False)
    _tell_changes(found, console)
    return 0


def retire_spec(sessions: SessionFactory, version: int, *, email: str, console: Console) -> int:
    """Refuse a draft, or take a version out of force. Raises SpecNotFound, SpecError, PersonRefused, ApprovalRefused."""
    with sessions.begin() as session:
        approval.retire(session, version, actor=person(session, email))
        current = approval.in_force(session).version
    console.print(f"Version {version} is retired; version {current} is in force.", highlight=False)
    return 0


def preview_change(sessions: SessionFactory, file: Path, *, last: int, console: Console) -> int:
    """Try a rule, or all that a whole spec changes, on our newest turns. Raises SpecError."""
    change = load_change(file)
    with sessions() as session:
        current = approval.in_force(session)
    with bars() as report:
        found = preview(
            sessions, change, last, against=current, progress=lambda done: report(BuildEvent(phase="turns", done=done, total=last))
        )
    _tell_preview(found, console)
    return 0


def _name(user: User | None) -> str:
    return "" if user is None else escape(user.name)


def _tell_changes(found: list[Change], console: Console) -> None:
    for change in found:
        console.print(f"  {escape(str(change))}", highlight=False, soft_wrap=True)


def _tell_preview(found: Preview, console: Console) -> None:
    def say(words: str) -> None:
        console.print(words, highlight=False)

    simulated = f" ({found.simulated_turns:,} of them said to simulated hotels)" if found.simulated_turns else ""
    say(f"{found.turns:,} turns of ours were tried{simulated}, {found.hits:,} would be hit.")
    if found.left_out:
        say(f"Left out: {found.left_out:,} turns whose context cannot be rebuilt.")
    if not found.by_rule:
        say("Nothing in it differs from what is in force.")
        return
    table = Table("rule", "hits", "rated by people", "false alarms", "E_func in all, before", "after")
    for one in found.by_rule:
        counts = (f"{count:,}" for count in (one.hits, one.rated, one.false_alarms))
        table.add_row(one.rule, *counts, f"{one.old_total:+,.0f}", f"{one.new_total:+,.0f}")
    console.print(table)
    share = found.false_alarm_estimate
    if share is not None:
        say(f"Of the rated hits {share.value:.0%} are false alarms: people liked the reply ({share.low:.0%} to {share.high:.0%}, 95 %).")
    elif found.hits:
        say("Nobody has rated any of the hits, so nothing is known of false alarms: read the examples.")
    say(f"E_func changes by {found.mean_change:+.2f} a turn on average, before it is clipped.")
    if found.examples:
        examples = Table("rule", "what is said of it", "reply", "stars", show_lines=True)
        for one in found.examples:
            stars = "" if one.stars is None else f"{one.stars:.1f}" + (", a false alarm" if one.is_false_alarm else "")
            examples.add_row(one.rule, escape(one.message), escape(one.text), stars)
        console.print(examples)
