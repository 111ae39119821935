"""The JSONL commands: their contracts with other programs, line by line."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bot.command import caiwen, jsonl, lines
from tests.product import ENTRIES

pytestmark = pytest.mark.usefixtures("quiet_logs")


def test_search_keeps_its_contract(home: Path) -> None:
    asked: list[dict[str, object]] = [
        {"id": f"q{n}", "q": question} for n, (question, *_) in enumerate(ENTRIES)
    ]
    asked.append({"id": 99, "q": "退付申请录入"})
    result = caiwen(home, "kb", "search", "--jsonl", stdin=jsonl(*asked))
    assert result.exit_code == 0
    answers = lines(result.stdout)
    assert [a["id"] for a in answers] == [a["id"] for a in asked]
    for answer in answers:
        assert set(answer) == {"id", "band", "results"}
        assert answer["band"] in ("answer", "offer", "none")
        assert len(answer["results"]) <= 10
        scores = [found["score"] for found in answer["results"]]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        for found in answer["results"]:
            assert set(found) == {"answer_id", "ref", "title", "text", "source", "score"}
            assert set(found["source"]) == {"guide", "section"}
    refs = [a["results"][0]["ref"] for a in answers[:-1]]
    assert refs == [ref for _, ref, *_ in ENTRIES]
    assert answers[-1]["results"][0]["source"]["guide"] == "非税收入退付操作手册"


MALFORMED = (
    "nonsense",
    "[1, 2]",
    '"text"',
    "{}",
    '{"id": 5, "q": 7}',
    '{"id": "a", "q": null}',
    "[" * 100_000,
    '{"id": "long", "q": "' + "长" * 200_001 + '"}',
)


@pytest.mark.parametrize("command", [("kb", "search"), ("nlu", "parse"), ("triage",)], ids=str)
def test_a_bad_line_is_answered_and_the_rest_goes_on(home: Path, command: Sequence[str]) -> None:
    good = {"id": "good", "q": "公务卡怎么还款"}
    odd = [
        {"id": n, "q": text}
        for n, text in enumerate(["", "   ", "😀", "\x00\x01", "急" * 10_000, "a\u2028b\x85c"])
    ]
    stdin = jsonl(good, *MALFORMED, "", *odd, {"id": "last", "text": "公务卡怎么还款"})
    result = caiwen(home, *command, "--jsonl", stdin=stdin)
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.stdout.split("\n") if line]
    assert len(answers) == 1 + len(MALFORMED) + len(odd) + 1
    assert answers[0]["id"] == "good"
    wrong = answers[1 : 1 + len(MALFORMED)]
    assert all(set(answer) == {"id", "error"} for answer in wrong)
    assert [answer["id"] for answer in wrong] == [2, 3, 4, 5, 5, "a", 8, 9]
    rest = answers[1 + len(MALFORMED) :]
    assert [answer["id"] for answer in rest] == [*range(len(odd)), "last"]
    assert not any("error" in answer for answer in rest)


def test_parse_keeps_its_contract(home: Path) -> None:
    text = "我们单位的支付申请怎么撤回"
    stdin = jsonl({"id": 1, "q": text}, {"id": 2, "q": "转人工"})
    first, second = lines(caiwen(home, "nlu", "parse", "--jsonl", stdin=stdin).stdout)
    assert set(first) == {"id", "intent", "confidence", "entities", "interpreter"}
    assert (first["intent"], first["interpreter"]) == ("ask_question", "similarity")
    assert second["intent"] == "request_human"
    assert 0 < first["confidence"] <= 1
    entities = [e for e in first["entities"] if e["entity"] == "module"]
    assert entities
    for entity in entities:
        assert set(entity) >= {"entity", "value", "start", "end"}
        assert 0 <= entity["start"] < entity["end"] <= len(text)


def test_triage_keeps_its_contract(home: Path) -> None:
    stdin = jsonl(
        {"id": 1, "q": "全市都登录不了系统，所有单位都打不开"},
        {"id": 2, "q": "公务卡怎么还款"},
    )
    outage, question = lines(caiwen(home, "triage", "--jsonl", stdin=stdin).stdout)
    keys = {"id", "incident", "category", "severity", "module", "reasons"}
    assert set(outage) == set(question) == keys
    assert (outage["incident"], outage["severity"]) == (True, "重大")
    assert (question["incident"], question["severity"]) == (False, "一般")
    assert outage["reasons"]
    assert all(reason["rule"] and reason["effect"] for reason in outage["reasons"])


def test_answers_come_line_by_line(home: Path) -> None:
    """A program that asks and waits for each answer must not hang on a buffer."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "--home", str(home), "kb", "search", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "CAIWEN_NLU__ENABLED": "false"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin, process.stdout:
        for n in range(2):
            process.stdin.write(jsonl({"id": n, "q": "公务卡怎么还款"}).encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == n


@pytest.mark.parametrize("command", [("kb", "search"), ("nlu", "parse"), ("triage",)], ids=str)
def test_jsonl_is_the_only_way_to_ask(home: Path, command: Sequence[str]) -> None:
    refused = caiwen(home, *command, stdin="公务卡怎么还款\n")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--jsonl" in refused.stderr


def test_search_without_an_index_says_what_to_do(fresh: Path) -> None:
    refused = caiwen(fresh, "kb", "search", "--jsonl", stdin=jsonl({"id": 1, "q": "x"}))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "train --kb" in refused.stderr


def test_an_id_that_cannot_be_written_ends_nothing(home: Path) -> None:
    stdin = '{"id": "\\ud800", "q": "公务卡怎么还款"}\n' + jsonl({"id": 2, "q": "公务卡怎么还款"})
    answers = lines(caiwen(home, "kb", "search", "--jsonl", stdin=stdin).stdout)
    assert [a["id"] for a in answers][1] == 2
