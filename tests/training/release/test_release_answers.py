"""What both versions answered to the bad cases: kept by the gate, read again by people."""

from pathlib import Path

from training.badcases import cases
from training.bench.measures import CaseFigures, PolicyFigures
from training.release.answers import ANSWERS, read_answers, write_answers


def figures(text: str | None, *, fixed: bool) -> PolicyFigures:
    """Answers to the first two cases, the second time worse."""
    told = [
        CaseFigures(case=case.id, fault=str(case.fault), copy_number=copy, fixed=fixed and not copy, clean=False, residual=0, reply=text)
        for copy in range(2)
        for case in cases()[:2]
    ]
    return PolicyFigures(seed=1, dialogues=(), cases=tuple(told), samples=(), seconds=1.0, tokens=1)


def test_that_the_first_answer_of_both_to_each_case_is_kept(tmp_path: Path) -> None:
    write_answers(tmp_path, figures("Take your time.", fixed=True), figures(None, fixed=False))
    read = read_answers(tmp_path)
    assert [row.case for row in read] == [case.id for case in cases()[:2]]
    assert {(row.candidate.text, row.candidate.fixed, row.live.text, row.live.fixed) for row in read} == {
        ("Take your time.", True, None, False)
    }


def test_that_what_is_not_there_or_broken_is_nothing(tmp_path: Path) -> None:
    assert read_answers(tmp_path) == []
    (tmp_path / ANSWERS).write_text('[{"case": 1}]')
    assert read_answers(tmp_path) == []
