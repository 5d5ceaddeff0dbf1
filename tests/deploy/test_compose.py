"""The compose file and the image, read as Docker would read them: everything that they name exists, and no secret stands in them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*(?:\$\{[^}]*\}[^}]*)?))?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def example() -> Mapping[str, str]:
    lines = (DEPLOY / "parley.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from strings(item)
        case list():
            for item in value:
                yield from strings(item)
        case _:
            return


def test_that_every_process_of_an_installation_is_there(compose: dict[str, Any]) -> None:
    assert compose["services"].keys() == {"postgres", "rabbitmq", "redis", "migrate", "vllm", "web", "follow-up", "worker", "beat"}


def test_that_every_command_and_every_setting_exists(
    compose: dict[str, Any], settings: frozenset[str], assert_command: Callable[[Sequence[str]], None]
) -> None:
    for name, service in compose["services"].items():
        if "build" not in service:
            continue
        assert_command(service["command"])
        unknown = {variable for variable in service.get("environment", {}) if variable.startswith("PARLEY_")} - settings
        assert not unknown, (name, unknown)


def test_that_who_is_waited_for_can_say_that_it_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, (name, needed)
            assert "profiles" not in services[needed], f"{name} waits for {needed}, which may not be started"
            match how["condition"]:
                case "service_healthy":
                    assert services[needed]["healthcheck"]["test"], needed
                case "service_completed_successfully":
                    assert services[needed]["restart"] in {"no", "on-failure"}, f"{needed} never ends"
                case other:
                    raise AssertionError(other)


def test_that_no_secret_stands_in_it_and_every_one_is_asked_for(compose: dict[str, Any], example: Mapping[str, str]) -> None:
    asked: dict[str, str] = {}
    for text in strings(compose):
        for name, how, _ in _VARIABLE.findall(text):
            asked[name] = how or asked.get(name, "")
        for user, password in re.findall(r"://(\w+):(.+?)@", text):
            assert password.startswith("${"), f"a password of {user} stands in {text!r}"
    assert asked.keys() == example.keys()
    secrets = {name for name in example if re.search("PASSWORD|SECRET|TOKEN", name)}
    for name in secrets:
        assert asked[name] == "?", f"{name} has a default"
        assert example[name] == "", f"{name} has a value in the example"
    for service in compose["services"].values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|PASS$", variable):
                assert str(value).startswith("${"), variable


def test_that_nothing_but_the_web_app_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    for name, service in compose["services"].items():
        open_to = set(service["networks"])
        assert open_to == ({"inside", "outside"} if name == "web" else {"inside"}), name
        assert ("ports" in service) == (name == "web"), name
    assert compose["services"]["web"]["ports"] == ["${PARLEY_WEB_BIND:-127.0.0.1:8501}:8501"]


def test_that_what_must_last_lies_on_volumes_that_are_declared(compose: dict[str, Any]) -> None:
    mounted = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    assert mounted == compose["volumes"].keys()
    assert compose["services"]["vllm"]["volumes"] == ["home:/var/lib/parley:ro"]
    for name in ("web", "worker", "beat", "follow-up", "vllm", "migrate"):
        service = compose["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name


def test_that_the_gpu_file_changes_services_that_are_there(compose: dict[str, Any]) -> None:
    gpu = yaml.safe_load((DEPLOY / "compose.gpu.yaml").read_text())
    assert gpu["services"].keys() <= compose["services"].keys()
    for service in gpu["services"].values():
        assert (DEPLOY.parent / service["build"]["args"]["LOCK"]).is_file()
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve().is_file()


def test_that_the_image_is_made_of_what_is_there_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if re.match(r"[A-Z]+ ", line)]
    stages = [rest for word, rest in instructions if word == "FROM"]
    assert len(stages) == 2
    assert ["ARG", "LOCK=requirements/cpu.lock"] in instructions
    assert (DEPLOY.parent / "requirements" / "cpu.lock").is_file()
    after = instructions[[rest for _, rest in instructions].index(stages[-1]) :]
    assert [rest for word, rest in after if word == "USER"] == ["10001:10001"]
    assert not [rest for _, rest in instructions if re.search("PASSWORD|SECRET|TOKEN", rest)]
    ignored = (DEPLOY.parent / ".dockerignore").read_text().split()
    assert {".git", ".venv"} <= set(ignored)
    assert "requirements" not in ignored
