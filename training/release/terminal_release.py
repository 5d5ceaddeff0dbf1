"""Releases in a terminal: what is deployed, and every move."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.serving import AdapterStore
from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import conversations, deployments, policy_versions, users
from db.vocabulary import Role
from training.release.ab import MEASURES, Interval, read_ab
from training.release.fleet import Fleet
from training.release.publishing import next_name, publish
from training.release.settings import ReleaseSettings, adapters_folder
from training.release.traffic import Moved, promote, roll_back, set_share, start_canary
from training.release.watch import look, why
from training.rewards.terminal import PersonRefused

_MAY = frozenset({Role.OPS, Role.ADMIN})


def status_command(sessions: SessionFactory, fleet: Fleet, *, console: Console) -> int:
    """Every version with its role, its open conversations and where it is loaded; 1 where a replica is away."""
    replicas = fleet.healthy()
    held = {server.base_url: server.loaded() for server in fleet.servers if replicas[server.base_url]}
    table = Table("version", "status", "role", "share", "open", "loaded on")
    with sessions() as session:
        roles = {one.policy_version_id: one for one in deployments.list_active(session)}
        for version in policy_versions.list_all(session):
            active = roles.get(version.id)
            loaded = sum(version.name in names or version.adapter_path is None for names in held.values())
            table.add_row(
                escape(version.name),
                version.status,
                active.role if active else "",
                f"{float(active.share):.0%}" if active else "",
                str(conversations.count_open_by_policy_version(session, version.id)),
                f"{loaded} of {len(replicas)}",
            )
        watched = look(session)
    console.print(table)
    if watched is not None:
        console.print(f"The watch says {watched.action}: {escape(why(watched))}.", highlight=False, soft_wrap=True)
    for url in (away := [url for url, healthy in replicas.items() if not healthy]):
        console.print(f"[red]away[/] {url}", highlight=False)
    return 1 if away else 0


def publish_command(sessions: SessionFactory, fleet: Fleet, adapter: Path, *, name: str, parent: str, email: str, console: Console) -> int:
    """Publish an adapter's folder, or that of a run."""
    folder = adapter / "adapter" if (adapter / "adapter").is_dir() else adapter
    store = AdapterStore(adapters_folder())
    chosen = name or next_name(sessions, store)
    parent_id = _named(sessions, parent).id if parent else _live_id(sessions)
    author = _person(sessions, email)
    note = {"source": str(adapter)}
    publish(sessions, fleet, store, folder, name=chosen, parent_id=parent_id, note=note, created_by=author)
    console.print(f"{chosen} is published on {len(fleet.servers)} model server(s). No conversation has it yet.", highlight=False)
    return 0


def canary_command(sessions: SessionFactory, fleet: Fleet, name: str, *, share: float | None, email: str, console: Console) -> int:
    """Give a version a share of new conversations."""
    part = ReleaseSettings().canary_share if share is None else share
    moved = start_canary(sessions, fleet, _named(sessions, name).id, share=part, actor=_person(sessions, email))
    return _say(moved, f"{name} gets {part:.1%} of new conversations.", console)


def share_command(sessions: SessionFactory, share: float, *, email: str, console: Console) -> int:
    """Give the canary another share."""
    return _say(set_share(sessions, share=share, actor=_person(sessions, email)), f"The canary gets {share:.1%}.", console)


def promote_command(sessions: SessionFactory, fleet: Fleet, name: str, *, email: str, console: Console) -> int:
    """Make a version live."""
    moved = promote(sessions, fleet, _named(sessions, name).id, actor=_person(sessions, email))
    return _say(moved, f"{name} is live.", console)


def roll_back_command(sessions: SessionFactory, fleet: Fleet, name: str, *, reason: str, email: str, console: Console) -> int:
    """Take a version out of use: the named one, else the canary, else the live one."""
    gone = _named(sessions, name).id if name else None
    moved = roll_back(sessions, fleet, actor=_person(sessions, email), reason=reason, version_id=gone)
    if moved is None:
        return _say(None, "", console)
    said = f"{moved.version} is rolled back; {moved.live or 'nothing'} answers, also in {moved.conversations} open conversations."
    return _say(moved, said, console)


def ab_command(sessions: SessionFactory, *, console: Console) -> int:
    """Both versions side by side."""
    with sessions() as session:
        report = read_ab(session)
    table = Table("", *(f"{arm.word} {escape(arm.version)}, {arm.opened} conversations" for arm in report.arms))
    if report.comparisons:
        for title in ("difference", "p", "still needed"):
            table.add_column(title, justify="right")
    for measure in MEASURES:
        cells = [_shown(arm.figures.get(measure.name), share=measure.share) for arm in report.arms]
        found = report.comparisons.get(measure.name)
        if found is not None:
            needed = "?" if found.still_needed is None else f"{found.still_needed:,}"
            days = "" if found.days is None else f", {found.days:.1f} days"
            value = f"{found.difference:+.1%}" if measure.share else f"{found.difference:+.2f}"
            cells += [value, f"{found.p:.3f}", needed + days]
        table.add_row(measure.title, *cells)
    console.print(table if report.arms else "Nothing is deployed.")
    return 0


def _shown(found: Interval | None, *, share: bool) -> str:
    if found is None:
        return "–"
    parts: Sequence[float] = (found.value, found.low, found.high)
    value, low, high = (f"{part:.1%}" if share else f"{part:.2f}" for part in parts)
    return f"{value} ({low} to {high})"


def _say(moved: Moved | None, said: str, console: Console) -> int:
    console.print(said if moved is not None else "Nothing to do: it is so already.", highlight=False, soft_wrap=True)
    return 0


def _named(sessions: SessionFactory, name: str) -> PolicyVersion:
    with sessions() as session:
        version = policy_versions.find_by_name(session, name)
    if version is None:
        raise policy_versions.VersionNotFound(f"there is no policy version {name!r}; choose one that `parley release status` lists")
    return version


def _live_id(sessions: SessionFactory) -> UUID | None:
    with sessions() as session:
        active = deployments.list_active(session)
    return active[0].policy_version_id if active else None


def _person(sessions: SessionFactory, email: str) -> UUID | None:
    """Who answers for a move; None where nobody is named, as for the system's own."""
    if not email:
        return None
    with sessions() as session:
        user = users.find_by_email(session, email)
    if user is None or user.disabled_at is not None or not _MAY.intersection(user.roles):
        raise PersonRefused(f"{email} is no account of operations or an administrator: name the one who answers for the move (--as).")
    return user.id
