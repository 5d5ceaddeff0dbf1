"""What the experts may not share with what they measure: no guard, no reading of consent, no judge and no reward, near or far."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
EXPERTS = ROOT / "training" / "experts"
FORBIDDEN = ("agent.guardrails", "agent.language.consent", "agent.language.signals", "agent.language.reader", "training.rewards")
OWN = {"agent.domain", "agent.simulation", "agent.sop", "db.vocabulary", "training.experts"}
"""All of the project that an expert's module may import by itself."""


def file_of(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.exists()), None)


def imported_by(path: Path) -> set[str]:
    """Modules of the project that a file imports, names that are modules themselves included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {module for module in found if module.split(".")[0] in {"agent", "db", "training", "webapp"} and file_of(module) is not None}


def reached_from(start: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = set(start)
    while waiting:
        module = waiting.pop()
        reached.add(module)
        path = file_of(module)
        assert path is not None
        parents = {module.rsplit(".", depth)[0] for depth in range(1, module.count(".") + 1)}
        waiting |= (imported_by(path) | {parent for parent in parents if file_of(parent)}) - reached
    return reached


def within(module: str, packages: set[str] | tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_that_the_experts_import_the_simulator_and_little_else():
    direct = set[str]().union(*(imported_by(path) for path in EXPERTS.glob("*.py")))
    assert direct
    assert {module for module in direct if not within(module, OWN)} == set()


def test_that_no_reward_guard_or_judge_is_reached_over_any_chain_of_imports():
    reached = reached_from({f"training.experts.{path.stem}" for path in EXPERTS.glob("*.py") if path.stem != "__init__"})
    assert "agent.simulation.hotel" in reached
    assert {module for module in reached if within(module, FORBIDDEN)} == set()


def test_that_nothing_of_the_guard_rewards_or_agent_uses_the_experts():
    users = {
        path.relative_to(ROOT)
        for room in ("agent", "db")
        for path in (ROOT / room).rglob("*.py")
        if any(within(module, ("training.experts",)) for module in imported_by(path))
    }
    rewards = (ROOT / "training").glob("rewards*/**/*.py")
    users |= {path.relative_to(ROOT) for path in rewards if any(within(m, ("training.experts",)) for m in imported_by(path))}
    assert users == set()
