"""Contract and calendar files: what ships, and what is refused with its reason."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.calendar import ExceptionKind, Span
from handoff.contract import Clock, SeverityTable, Target
from handoff.errors import InvalidTerms, UnknownTerms
from handoff.holidays import published_holidays
from handoff.settings import HandoffSettings
from handoff.terms import MAX_FILE_BYTES, load_terms, read_calendar, read_contract
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity
from tests.handoff.minute_counter import CALENDAR_OF, FAULTS, PROMISES
from tests.handoff.terms import DATA, shipped_terms

HOLIDAYS = published_holidays()

CALENDAR = """
id: test
name: 测试
week:
  周一: ["09:00-12:00", "14:00-17:30"]
makeup: ["09:00-12:00"]
"""
CONTRACT = """
id: test
name: 测试合同
calendar: foshan
levels:
  重大: {term: 重大, clock: 7x24, respond: 10}
"""


def calendar(text: str) -> object:
    return read_calendar(text, source="test.yml", holidays=HOLIDAYS)


class TestShipped:
    def test_all_five_contracts_and_their_calendars_ship(self) -> None:
        terms = shipped_terms()
        assert set(terms.contracts) == {"foshan", "changzhou", "zhanjiang", "jieyang", "guangxi"}
        assert set(terms.revisions) == set(terms.contracts)
        for contract in terms.contracts.values():
            assert terms.calendar(contract.calendar).holidays is not None

    @pytest.mark.parametrize("contract", sorted(PROMISES))
    def test_minutes_are_as_typed_from_the_contracts(self, contract: str) -> None:
        found = shipped_terms().contract(contract)
        assert found.calendar == CALENDAR_OF[contract]
        for severity in Severity:
            clock, minutes = PROMISES[contract][severity.value]
            assert (found.clock(severity) is Clock.AROUND_THE_CLOCK) == (clock == "all")
            for target in Target:
                promise = found.promise(severity, target, Category.FAULT)
                assert (promise.minutes if promise else None) == minutes.get(target.value)
                asked = found.promise(severity, target, Category.HOW_TO)
                assert (asked is None) == (promise is None or target is Target.REPORT)

    def test_what_only_some_contracts_state(self) -> None:
        terms = shipped_terms()
        phone = terms.contract("changzhou").phone
        assert phone is not None
        assert (phone.in_hours, phone.outside_hours) == (0, 30)
        assert terms.contract("foshan").averages == {
            "fault_response": 30,
            "maintenance_response": 40,
            "fault_handling": 240,
        }
        assert terms.contract("foshan").pauses == frozenset(PauseReason)
        assert terms.contract("foshan").severity_table is SeverityTable.HANDLING
        major = terms.contract("guangxi").levels[Severity.MAJOR]
        assert (major.term, major.written_report_after) == ("突发", 120)
        assert {Category.FAULT.value, Category.DATA.value} == FAULTS

    def test_unknown_names_are_named(self) -> None:
        with pytest.raises(UnknownTerms) as refused:
            shipped_terms().contract("nowhere")
        assert (refused.value.kind, refused.value.identifier) == ("contract", "nowhere")


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (("09:00-12:00", "9-12"), "time of day"),
            (("09:00-12:00", "上午"), "HH:MM-HH:MM"),
            (("09:00-12:00", "12:00-09:00"), "not a span"),
            (("09:00-12:00", "09:00-25:00"), "not a span"),
            (("09:00-12:00", "09:60-12:00"), "time of day"),
            (('"09:00-12:00", ', '"09:00-15:00", '), "overlap"),
            (("周一:", "周八:"), "周八"),
            (("makeup:", "make-up:"), "make"),
            (("id: test", "id: Test!"), "id"),
            (('["09:00-12:00", "14:00-17:30"]', "[]"), "needs hours"),
            (('["09:00-12:00", "14:00-17:30"]', "9"), "list"),
            (("name: 测试", "name: 测试\nzone: Mars/Olympus"), "no time zone"),
            (("name: 测试", "name: 测试\nzone: ../../etc/passwd"), "no time zone"),
            (("name: 测试", "name: 测试\nname: 两次"), "repeated keys"),
        ],
    )
    def test_calendars(self, change: tuple[str, str], said: str) -> None:
        with pytest.raises(InvalidTerms, match=said) as refused:
            calendar(CALENDAR.replace(*change))
        assert refused.value.source == "test.yml"

    @pytest.mark.parametrize(
        "entry",
        [
            "{closed: 停电}",
            "{date: 2026-03-10}",
            "{date: 2026-03-10, from: 2026-03-09, to: 2026-03-11, closed: 停电}",
            "{from: 2026-03-11, to: 2026-03-10, closed: 停电}",
            "{date: 2026-03-10, closed: 停电, work: 加班}",
            "{date: 2026-02-30, closed: 停电}",
            "{date: 2026-03-10, off: 停电}",
        ],
    )
    def test_exceptions(self, entry: str) -> None:
        with pytest.raises(InvalidTerms):
            calendar(CALENDAR + f"exceptions:\n  - {entry}\n")

    @pytest.mark.parametrize(
        "change",
        [
            ("respond: 10", "respond: 0"),
            ("respond: 10", "respond: -5"),
            ("respond: 10", "respond: soon"),
            ("respond: 10", "respond: true"),
            ("respond: 10", "answer: 10"),
            ("respond: 10", "respond: {minutes: 10, after: resolved}"),
            ("respond: 10", "respond: {minutes: 10, categories: [别的]}"),
            ("重大:", "特大:"),
            ("7x24", "8x5"),
            ("calendar: foshan", "calendar: [foshan]"),
            ("levels:", "warn_at: [50, 100]\nlevels:"),
            ("levels:", "pauses: [等下班]\nlevels:"),
        ],
    )
    def test_contracts(self, change: tuple[str, str]) -> None:
        assert change[0] in CONTRACT
        with pytest.raises(InvalidTerms):
            read_contract(CONTRACT.replace(*change), source="test.yml")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "just words",
            "a: [",
            "\tx: 1",
            "a: &x [1]\nb: *x",
            "!!python/object/apply:os.system [ls]",
            "? [1, 2]\n: 3",
            "[" * 5000,
        ],
    )
    def test_what_is_no_plain_mapping(self, text: str) -> None:
        with pytest.raises(InvalidTerms):
            calendar(text)
        with pytest.raises(InvalidTerms):
            read_contract(text, source="test.yml")

    @given(st.text(max_size=200))
    @settings(max_examples=200)
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        with pytest.raises(InvalidTerms):
            calendar(text)


class TestRead:
    def test_exceptions_of_each_kind(self) -> None:
        found = read_calendar(
            CALENDAR
            + "exceptions:\n"
            + "  - {date: 2026-03-10, closed: 停电}\n"
            + "  - {date: 2026-03-14, work: 加班, hours: ['09:00-10:00']}\n"
            + "  - {from: 2026-07-01, to: 2026-08-31, hours: ['08:00-12:00'], note: 夏季}\n",
            source="test.yml",
            holidays=HOLIDAYS,
        )
        kinds = [exception.kind for exception in found.exceptions]
        assert kinds == [ExceptionKind.CLOSED, ExceptionKind.WORK, ExceptionKind.HOURS]
        assert found.exceptions[1].spans == (Span(540, 600),)
        assert found.week[0] == (Span(540, 720), Span(840, 1050))
        assert found.week[1:] == ((),) * 6

    def test_a_calendar_may_ignore_public_holidays(self) -> None:
        found = read_calendar(
            CALENDAR.replace("name: 测试", "name: 测试\nholidays: none"),
            source="test.yml",
            holidays=HOLIDAYS,
        )
        assert found.holidays is None

    def test_null_is_not_stated(self) -> None:
        found = read_contract(CONTRACT.replace("respond: 10", "respond: null"), source="x")
        assert found.promise(Severity.MAJOR, Target.RESPOND, Category.FAULT) is None

    def test_warnings_are_sorted_and_once(self) -> None:
        text = CONTRACT.replace("levels:", "warn_at: [80, 50, 80]\nlevels:")
        assert read_contract(text, source="x").warn_at == (50, 80)


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("contracts", "calendars"):
            shutil.copytree(DATA / name, tmp_path / name)
        return tmp_path

    def load(self, folder: Path) -> object:
        return load_terms(folder / "contracts", folder / "calendars", holidays=HOLIDAYS)

    def test_a_contract_needs_its_calendar(self, folder: Path) -> None:
        (folder / "calendars" / "foshan.yml").unlink()
        with pytest.raises(InvalidTerms, match="no calendar 'foshan'"):
            self.load(folder)

    def test_an_id_occurs_once(self, folder: Path) -> None:
        shutil.copy(folder / "contracts" / "foshan.yml", folder / "contracts" / "second.yml")
        with pytest.raises(InvalidTerms, match=r"already in foshan\.yml"):
            self.load(folder)

    def test_an_empty_folder_is_no_terms(self, folder: Path) -> None:
        shutil.rmtree(folder / "contracts")
        with pytest.raises(InvalidTerms, match=r"no \*\.yml"):
            self.load(folder)

    def test_an_enormous_file(self, folder: Path) -> None:
        (folder / "calendars" / "huge.yml").write_text("#" * (MAX_FILE_BYTES + 1))
        with pytest.raises(InvalidTerms, match="larger"):
            self.load(folder)

    def test_a_binary_file(self, folder: Path) -> None:
        (folder / "calendars" / "odd.yml").write_bytes(b"\xff\xfe\x00id")
        with pytest.raises(InvalidTerms, match="UTF-8"):
            self.load(folder)

    def test_a_changed_calendar_changes_its_contracts_revision_only(self, folder: Path) -> None:
        path = folder / "calendars" / "foshan.yml"
        path.write_text(
            path.read_text(encoding="utf-8")
            + "exceptions:\n  - {date: 2026-03-02, closed: 停电检修}\n",
            encoding="utf-8",
        )
        before, after = (
            shipped_terms().revisions,
            load_terms(folder / "contracts", folder / "calendars", holidays=HOLIDAYS).revisions,
        )
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {"foshan"}


def test_settings_choose_the_contract_of_a_region() -> None:
    settings_ = HandoffSettings(region_contracts={"常州": "changzhou"})
    assert settings_.contract_of("常州") == "changzhou"
    assert settings_.contract_of("禅城区") == "foshan"
    assert settings_.contract_of(None) == "foshan"
