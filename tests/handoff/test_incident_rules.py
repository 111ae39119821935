"""The numbers that make tickets one fault, and which tickets those are. Pure."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import data_dir
from handoff.errors import InvalidTerms
from handoff.incident import proposed_severity
from handoff.incident_matching import (
    Match,
    Symptom,
    agree,
    codes_in,
    compare,
    reporter_of,
    to_json,
    weigh,
)
from handoff.incident_rules import Numbers, load_rules, read_rules
from store.vocabulary import Severity
from tests.handoff.terms import at

ZONE = ZoneInfo("Asia/Shanghai")
NUMBERS = Numbers(timedelta(minutes=60), 3, 0.5, 3, 10)
NOW = at("2026-03-10 09:00")
USUAL = """
categories: [系统故障]
usual: {window_minutes: 60, units: 3, alike: 0.5, urgent_units: 3, major_units: 10}
"""


def symptom(number: str, unit: str = "甲局", *, minutes: int = 0, **over: object) -> Symptom:
    made = Symptom(
        ticket_id=number,
        number=number,
        reporter=reporter_of(unit, None, number),
        unit=unit,
        region="禅城区",
        module=None,
        codes=frozenset(),
        opened_at=NOW - timedelta(minutes=minutes),
    )
    return replace(made, **over)  # type: ignore[arg-type]  # built from keywords


def test_the_shipped_numbers_differ_by_module_and_season() -> None:
    rules = load_rules(data_dir() / "incidents.yml", zone=ZONE)
    usual = rules.at(None, NOW)
    assert rules.at("国库集中支付", at("2026-12-28 09:00")).units < usual.units
    assert rules.at("国库集中支付", at("2026-05-06 09:00")) == usual
    assert rules.at("工资统发", NOW).window > usual.window
    assert rules.widest() >= timedelta(hours=4)


def test_months_are_those_of_the_region() -> None:
    text = USUAL + "seasonal:\n- {months: [1], units: 9}\n"
    rules = read_rules(text, source="x.yml", zone=ZONE)
    assert rules.at(None, at("2027-01-01 00:30")).units == 9
    assert rules.at(None, at("2026-12-31 23:30")).units == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "categories: []\nusual: {}",
        USUAL.replace("units: 3, alike", "units: 1, alike"),
        USUAL.replace("alike: 0.5", "alike: 7"),
        USUAL.replace("major_units: 10", "major_units: 2"),
        USUAL + "seasonal:\n- {months: [13], units: 9}\n",
        USUAL + "seasonal:\n- {units: 0}\n",
        USUAL + "typo: 1\n",
        USUAL.replace("系统故障", "别的"),
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(InvalidTerms) as refused:
        read_rules(text, source="x.yml", zone=ZONE)
    assert refused.value.source == "x.yml"


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"a" * 70_000):
        (tmp_path / "x.yml").write_bytes(content)
        with pytest.raises(InvalidTerms):
            load_rules(tmp_path / "x.yml", zone=ZONE)
    with pytest.raises(InvalidTerms):
        load_rules(tmp_path / "none.yml", zone=ZONE)


def test_codes_are_told_from_documents_and_programs() -> None:
    assert codes_in("登录失败（ａｕｔｈ-1001），还有 ORA 00942 和 0x80070005") == {
        "AUTH-1001",
        "ORA-00942",
        "0X80070005",
    }
    assert codes_in("单号 ZF2026-00123，工单 CW20261121-0007，Win11 和 IE110 都试过") == frozenset()


def test_a_unit_is_one_however_it_is_written() -> None:
    assert reporter_of("区 教育局", "u1", "t1") == reporter_of("区教育局 ", "u2", "t2")
    assert reporter_of("", "u1", "t1") == reporter_of(" ", "u1", "t2")
    assert reporter_of("", None, "t1") != reporter_of("", None, "t2")


def test_three_units_are_enough_and_one_unit_three_times_is_not() -> None:
    first = symptom("4", "丙局")
    others = [symptom("1", "甲局"), symptom("2", "乙局")]
    found = weigh(first, compare(first, others, [0.6, 0.7], alike=0.5), NUMBERS)
    assert found is not None
    assert found.units == 3
    assert [match.symptom.number for match in found.matches] == ["2", "1"]
    same = [symptom("1", "丙局"), symptom("2", "丙 局")]
    assert weigh(first, compare(first, same, [0.9, 0.9], alike=0.5), NUMBERS) is None


def test_what_is_old_or_differs_does_not_count() -> None:
    first = symptom("4", "丙局", module="支付申请")
    others = [
        symptom("1", "甲局", minutes=61),
        symptom("2", "乙局", module="工资统发"),
        symptom("3", "丁局", module="支付申请"),
    ]
    matches = compare(first, others, [0.55, 0.55, 0.55], alike=0.5)
    assert [match.symptom.number for match in matches] == ["1", "3"]
    closer = compare(first, others, [0.55, 0.65, 0.55], alike=0.5)
    assert {match.symptom.number for match in closer} == {"1", "2", "3"}
    assert weigh(first, matches, NUMBERS) is None


def test_a_code_says_more_than_words() -> None:
    first = symptom("3", "丙局", codes=frozenset({"AUTH-1001"}))
    others = [
        symptom("1", "甲局", codes=frozenset({"AUTH-1001"})),
        symptom("2", "乙局", codes=frozenset({"AUTH-1001", "ORA-1"})),
    ]
    found = weigh(first, compare(first, others, [0.0, 0.1], alike=0.5), NUMBERS)
    assert found is not None
    assert found.code == "AUTH-1001"
    shown = to_json(found)
    assert shown["units"] == 3
    assert shown["window_minutes"] == 60


def test_a_module_that_is_not_known_speaks_against_nothing() -> None:
    assert agree(None, "支付申请")
    assert agree("支付申请", "支付申请")
    assert not agree("工资统发", "支付申请")


def test_the_severity_to_propose_rises_with_the_units_and_never_falls() -> None:
    def propose(units: int, *ratings: Severity) -> Severity:
        return proposed_severity(ratings, units=units, urgent_from=3, major_from=10)

    assert propose(2, Severity.GENERAL) is Severity.GENERAL
    assert propose(3, Severity.GENERAL) is Severity.URGENT
    assert propose(10) is Severity.MAJOR
    assert propose(1, Severity.MAJOR, Severity.GENERAL) is Severity.MAJOR


@given(
    units=st.lists(st.sampled_from("甲乙丙丁戊"), max_size=12),
    minutes=st.lists(st.integers(0, 120), min_size=12, max_size=12),
)
def test_a_proposal_never_counts_a_unit_twice(units: list[str], minutes: list[int]) -> None:
    first = symptom("0", "甲")
    others = [
        symptom(str(n + 1), unit, minutes=minute)
        for n, (unit, minute) in enumerate(zip(units, minutes, strict=False))
    ]
    matches = tuple(Match(other, 0.9) for other in others)
    found = weigh(first, matches, NUMBERS)
    recent = {"甲"} | {o.unit for o in others if o.opened_at >= NOW - NUMBERS.window}
    assert (found is not None) == (len(recent) >= NUMBERS.units)
    if found is not None:
        assert found.units == len(recent)
