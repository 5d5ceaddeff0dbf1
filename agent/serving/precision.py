"""In which number format this machine multiplies fast.

A processor without bfloat16 instructions (AVX512-BF16, AMX; most x86 servers before 2023) imitates them: products of matrices take five to
nine times as long as in float32. What computes with the model asks here instead of taking one of them for granted.
"""

from functools import cache
from pathlib import Path
from typing import Literal

Format = Literal["bfloat16", "float32"]

_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_CPU, _GPU = Path("/proc/cpuinfo"), Path("/dev/nvidiactl")


@cache
def fast_format() -> Format:
    """``bfloat16`` where the processor has instructions for it or a GPU is there, else ``float32``."""
    if _GPU.exists():
        return "bfloat16"
    return format_of(_CPU.read_text(encoding="utf-8", errors="replace") if _CPU.exists() else "")


def format_of(cpuinfo: str) -> Format:
    """The same from the kernel's description of the processor; ``flags`` of x86, ``Features`` of Arm."""
    for line in cpuinfo.splitlines():
        name, _, values = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return "bfloat16" if _INSTRUCTIONS & set(values.split()) else "float32"
    return "float32"
