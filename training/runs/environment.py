"""What a process that computes with torch finds in its environment: the same for runs, retrains and benchmarks."""

from training.starter.waiting import PASSIVE


def computing(threads: int) -> dict[str, str]:
    """For a process with so many threads."""
    return {
        **PASSIVE,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(threads),
        # The order of sets decides the order of an adapter's layers.
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
