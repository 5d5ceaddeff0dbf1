"""``parley export`` and ``parley import`` from outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

from data_scenes import judged_talks

from agent.service import Negotiations

ROOT = Path(__file__).resolve().parents[3]


def parley(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "parley", *arguments],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "PARLEY_DATABASE_URL": database},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_out_in_and_what_is_refused(negotiations: Negotiations, database_url: str, tmp_path: Path) -> None:
    judged_talks(negotiations, talks=1)
    out = parley("export", str(tmp_path / "out"), "--format", "preference", database=database_url)
    assert out.returncode == 0, out.stderr
    assert "3 preference." in " ".join(out.stdout.split())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", "preference.jsonl"]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["personal_data"] == "masked"
    again = parley("export", str(tmp_path / "out"), database=database_url)
    assert again.returncode == 1
    assert "--replace" in again.stderr
    dry = parley("import", str(tmp_path / "out"), "--dry-run", database=database_url)
    assert "3 rows are good: 3 new, 0 there already. Nothing was written." in " ".join(dry.stdout.split())
    (tmp_path / "bad.jsonl").write_text('{"prompt": "A", "completion": ""}\n')
    bad = parley("import", str(tmp_path / "bad.jsonl"), database=database_url)
    assert bad.returncode == 1
    assert "is empty, but it is required" in bad.stdout
    unknown = parley("export", str(tmp_path / "more"), "--as", "xlsx", database=database_url)
    assert unknown.returncode == 2
    assert "is none of jsonl, parquet, dataset" in unknown.stderr
    sheet = parley("import", "--template", "preference", database=database_url)
    assert sheet.stdout.startswith("system,id,prompt,chosen,rejected,source")
