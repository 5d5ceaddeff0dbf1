"""Files of runs, benchmarks and retrains: written at once or not at all, and known by their bytes."""

from hashlib import file_digest, sha256
from pathlib import Path


def put(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def file_sha256(path: Path) -> str:
    """Of the bytes."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def folder_sha256(*paths: Path) -> str:
    """Of names and contents of all files in these folders, and of these files."""
    digest = sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{file.relative_to(path.parent)}\0{file_sha256(file)}\n".encode())
    return digest.hexdigest()
