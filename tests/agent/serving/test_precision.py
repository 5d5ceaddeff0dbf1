"""Which number format is fast is read from what the kernel says of the processor."""

import pytest

from agent.serving.precision import format_of
from agent.serving.server import arguments
from agent.serving.settings import ServingSettings


@pytest.mark.parametrize(
    ("cpuinfo", "fast"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512f avx512_bf16\n", "bfloat16"),
        ("flags : fpu avx2 amx_bf16 amx_tile\n", "bfloat16"),
        ("Features : fp asimd bf16 i8mm\n", "bfloat16"),
        ("flags : fpu fma avx avx2\nbugs : bf16\n", "float32"),
        ("", "float32"),
    ],
)
def test_that_bfloat16_is_for_processors_that_have_it(cpuinfo: str, fast: str) -> None:
    assert format_of(cpuinfo) == fast


def test_that_a_format_can_be_named_and_a_gpu_keeps_its_models_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def dtype(*, cpu: bool) -> str:
        flags = arguments(ServingSettings(), cpu=cpu)
        return flags[flags.index("--dtype") + 1]

    assert dtype(cpu=True) in {"float32", "bfloat16"}
    assert dtype(cpu=False) == "auto"
    monkeypatch.setenv("PARLEY_MODEL_DTYPE", "bfloat16")
    assert dtype(cpu=True) == dtype(cpu=False) == "bfloat16"
