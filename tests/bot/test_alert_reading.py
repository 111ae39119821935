"""What monitoring systems send, read; and what it changes, folded."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.authentication import Credentials, check, signature
from bot.alerts.folding import FLAP, LATE, Change, Known, step
from bot.alerts.reading import MAX_ALERTS, Alert, FieldMap, Flaw, field_map, read
from bot.alerts.tables import AlertStatus
from bot.notifications.errors import AlertRefused, NotificationInvalid
from store.vocabulary import Severity

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00Z"


def raw(**over: Any) -> dict[str, Any]:
    """One alert as Alertmanager 0.34 sends it."""
    return {
        "status": "firing",
        "labels": {"alertname": "数据库连接耗尽", "severity": "critical", "region": "禅城区"},
        "annotations": {"summary": "连接数 100%", "description": "支付库"},
        "startsAt": "2026-11-20T01:59:00.123456789Z",
        "endsAt": ZERO,
        "generatorURL": "http://prometheus:9090/graph?g0",
        "fingerprint": "c0ffee0123456789",
        **over,
    }


def body(*alerts: Any, **over: Any) -> bytes:
    top = {
        "version": "4",
        "groupKey": '{}:{alertname="x"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "cai\\.wen",
        "notification_reason": "new",
        "alerts": list(alerts),
    }
    return json.dumps({**top, **over}).encode()


def test_an_alert_of_alertmanager_is_read() -> None:
    report = read(body(raw()), None, NOW)
    assert (report.truncated, report.flaw) == (0, Flaw.NONE)
    (alert,) = report.alerts
    assert alert.fingerprint == "c0ffee0123456789"
    assert alert.starts_at == datetime(2026, 11, 20, 1, 59, 0, 123456, tzinfo=UTC)
    assert alert.ends_at is None
    assert alert.name == "数据库连接耗尽"
    assert alert.summary == "连接数 100%\n支付库"
    assert alert.severity is Severity.MAJOR
    assert alert.link == "http://prometheus:9090/graph?g0"


def test_grafana_sends_the_same_with_more_fields() -> None:
    found = raw(values={"A": 1}, valueString="[ var='A' ]", silenceURL="http://g/s", panelURL="")
    report = read(
        body(found, orgId=1, title="[FIRING:1]", state="alerting", version="1"), None, NOW
    )
    assert len(report.alerts) == 1
    about_itself = raw(labels={"alertname": "DatasourceNoData", "severity": "critical"})
    (alert,) = read(body(about_itself), None, NOW).alerts
    assert alert.severity is Severity.GENERAL


@pytest.mark.parametrize(
    ("alerts", "read_ones", "flaw"),
    [
        ([], 0, Flaw.NONE),
        ([None, 3, "x", [], {}], 0, Flaw.SHAPE),
        ([raw(), {}], 1, Flaw.PARTLY),
        ([raw(status="suppressed")], 0, Flaw.SHAPE),
        ([raw(startsAt=ZERO)], 0, Flaw.SHAPE),
        ([raw(startsAt="yesterday")], 0, Flaw.SHAPE),
        ([raw(labels={})], 0, Flaw.SHAPE),
        ([raw(labels="x")], 0, Flaw.SHAPE),
        ([raw(annotations=None, generatorURL=7, endsAt=[])], 1, Flaw.NONE),
        ([raw(generatorURL="javascript:alert(1)")], 1, Flaw.NONE),
    ],
)
def test_damaged_alerts_leave_the_others_whole(
    alerts: list[Any], read_ones: int, flaw: Flaw
) -> None:
    report = read(body(*alerts), None, NOW)
    assert (len(report.alerts), report.flaw) == (read_ones, flaw)
    assert all(alert.link in ("", "http://prometheus:9090/graph?g0") for alert in report.alerts)


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b"", Flaw.JSON),
        (b"{", Flaw.JSON),
        (b"\xff\xfe", Flaw.JSON),
        (b"[" * 100_000, Flaw.JSON),
        (b"[]", Flaw.SHAPE),
        (b'{"alerts": {}}', Flaw.SHAPE),
    ],
)
def test_bodies_that_are_none_are_said_to_be(content: bytes, flaw: Flaw) -> None:
    assert read(content, None, NOW).flaw is flaw


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_json_is_more_than_flawed(content: Any) -> None:
    text = json.dumps({"alerts": [content, {"status": "firing", "labels": content}]}).encode()
    for fields in (None, FieldMap(), FieldMap(alerts="alerts", name="labels.x")):
        report = read(text, fields, NOW)
        assert all(alert.starts_at <= NOW for alert in report.alerts)


def test_without_a_fingerprint_the_labels_name_it() -> None:
    first = raw(fingerprint="")
    second = raw(fingerprint=None, labels=dict(reversed(first["labels"].items())))
    other = raw(fingerprint="no/good", labels={"alertname": "other"})
    names = [alert.fingerprint for alert in read(body(first, second, other), None, NOW).alerts]
    assert names[0] == names[1] != names[2]


def test_what_is_cut_off_is_counted() -> None:
    assert read(body(raw(), truncatedAlerts=7), None, NOW).truncated == 7
    many = read(body(*(raw() for _ in range(MAX_ALERTS + 3))), None, NOW)
    assert (len(many.alerts), many.truncated) == (MAX_ALERTS, 3)


def test_any_json_is_read_by_its_field_names() -> None:
    fields = FieldMap(
        alerts="data.items",
        name="rule.name",
        summary="text",
        severity="level",
        status="state",
        resolved="OK",
        key="rule.id",
        starts_at="at",
        link="href",
    )
    items = [
        {
            "rule": {"name": "磁盘满", "id": 17},
            "level": "重大",
            "state": "ALARM",
            "at": 1_763_600_000,
        },
        {"rule": {"name": "磁盘满", "id": 17}, "state": "ok", "text": "恢复"},
        {"rule": {"name": ""}},
    ]
    report = read(json.dumps({"data": {"items": items}}).encode(), fields, NOW)
    firing, resolved = report.alerts
    assert report.flaw is Flaw.PARTLY
    assert firing.fingerprint == resolved.fingerprint
    assert (firing.severity, firing.status) == (Severity.MAJOR, AlertStatus.FIRING)
    assert (resolved.status, resolved.ends_at) == (AlertStatus.RESOLVED, NOW)


@pytest.mark.parametrize("path", ["a b", "x" * 101, "a\x00"])
def test_field_names_that_are_none(path: str) -> None:
    with pytest.raises(NotificationInvalid):
        field_map({"name": path})


VECTOR = (b'{"status":"firing"}', "s3cret", "1700000000")


def test_grafanas_signatures_are_as_documented() -> None:
    content, secret, timestamp = VECTOR
    plain = "043737fa7d4b65306416549b14537adb753ed11a55b3fb6f50fec5192bbd3851"
    timed = "a1af856abf490a75085cc50538aa285b686a81e04e3e20b5ccf95d66e0b6aa36"
    assert signature(secret, content) == plain
    assert signature(secret, content, timestamp) == timed
    at = datetime.fromtimestamp(int(timestamp), UTC)
    credentials = Credentials(hmac_secret=secret, timestamp_header="X-Time")
    headers = {"x-grafana-alerting-signature": timed, "x-time": timestamp}
    check(credentials, headers, content, at)
    for wrong, when in (
        ({**headers, "x-grafana-alerting-signature": plain}, at),
        ({**headers, "x-time": ""}, at),
        ({**headers, "x-time": "17e8"}, at),
        (headers, at + timedelta(minutes=6)),
        (headers, at - timedelta(minutes=6)),
        ({}, at),
    ):
        with pytest.raises(AlertRefused):
            check(credentials, wrong, content, when)


def test_a_token_must_be_the_whole_token() -> None:
    credentials = Credentials(token="t" * 20)
    check(credentials, {"authorization": "Bearer " + "t" * 20}, b"", NOW)
    for header in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer " + "t" * 19,
        "Basic " + "t" * 20,
        "Bearer 令牌",
    ):
        with pytest.raises(AlertRefused):
            check(credentials, {"authorization": header}, b"", NOW)
    with pytest.raises(AlertRefused):
        check(Credentials(), {}, b"", NOW)


def alert(minutes: int, *, over: int | None = None) -> Alert:
    """An alert that began then, and ended ``over`` minutes after NOW if given."""
    status = AlertStatus.FIRING if over is None else AlertStatus.RESOLVED
    ends = None if over is None else NOW + timedelta(minutes=over)
    return Alert("f", status, NOW + timedelta(minutes=minutes), ends, "x", "", Severity.GENERAL, "")


def known(minutes: int, *, over: int | None = None, told: int | None = None) -> Known:
    status = AlertStatus.FIRING if over is None else AlertStatus.RESOLVED
    last = over if over is not None else minutes
    ends = None if over is None else NOW + timedelta(minutes=over)
    last = told if told is not None else last
    begins, at = NOW + timedelta(minutes=minutes), NOW + timedelta(minutes=last)
    return Known(f"i{minutes}", begins, ends, status, at)


@pytest.mark.parametrize(
    ("delivered", "before", "change"),
    [
        (alert(0), [], Change.BEGIN),
        (alert(0), [known(0)], Change.NOTHING),
        (alert(0, over=5), [], Change.NOTE_END),
        (alert(0, over=5), [known(0)], Change.END),
        (alert(0, over=5), [known(0, over=5)], Change.NOTHING),
        (alert(-9, over=5), [known(0)], Change.END),
        (alert(-9, over=-5), [known(0)], Change.NOTHING),
        (alert(0), [known(0, over=5)], Change.NOTHING),
        (alert(0), [known(0, over=5, told=-60)], Change.GO_ON),
        (alert(0), [known(0, over=2, told=-60), known(30)], Change.NOTHING),
        (alert(-30), [known(0)], Change.NOTHING),
        (alert(10), [known(0)], Change.NOTHING),
        (alert(10), [known(0, over=5)], Change.BEGIN_FLAPPING),
        (alert(60), [known(0, over=5)], Change.BEGIN),
    ],
)
def test_what_a_delivery_changes(delivered: Alert, before: list[Known], change: Change) -> None:
    assert step(delivered, before, NOW).change is change


def test_the_limits_of_late_and_flapping() -> None:
    ended = known(0, over=0, told=0)
    assert step(alert(0), [ended], NOW + LATE - timedelta(seconds=1)).change is Change.NOTHING
    assert step(alert(0), [ended], NOW + LATE).change is Change.GO_ON
    minutes = int(FLAP.total_seconds() // 60)
    assert step(alert(minutes - 1), [ended], NOW).change is Change.BEGIN_FLAPPING
    assert step(alert(minutes), [ended], NOW).change is Change.BEGIN
