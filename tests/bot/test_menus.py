"""What can be pressed, and what pressing or typing a number means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.menus import menu_of, pressed, typed
from bot.phrases import load
from bot.settings import data_dir

PHRASES = load(data_dir() / "locales" / "zh-CN.yml")


@pytest.mark.parametrize(
    ("kind", "data", "actions"),
    [
        ("answer", {"answer_id": "a1"}, ["helpful", "unhelpful", "human"]),
        ("rating_request", {}, ["rate"] * 5),
        ("resolved", {"number": "CW20261120-0001"}, ["confirm", "reopen"]),
        ("ask", {"options": ["登不上", "登上了但很慢"]}, [None, None]),
    ],
)
def test_every_button_means_something(
    kind: str, data: dict[str, object], actions: list[str | None]
) -> None:
    menu = menu_of(kind, "请选择：\n说明", data, 7, PHRASES)
    assert menu is not None
    assert menu.title
    found = [pressed(choice.key, PHRASES) for choice in menu.choices]
    assert [one[1].get("kind") if one else "?" for one in found] == actions
    assert [one[0] for one in found if one] == [choice.label for choice in menu.choices]
    assert all(choice.key.isascii() and len(choice.key) <= 1_024 for choice in menu.choices)


@pytest.mark.parametrize(
    ("kind", "data", "seq"),
    [
        ("text", {}, 1),
        ("answer", {}, 1),
        ("answer", {"answer_id": "a"}, 0),
        ("resolved", {}, 1),
        ("ask", {"options": []}, 1),
        ("ask", {"options": list("一二三四五六七")}, 1),
    ],
)
def test_what_has_nothing_to_press_has_no_menu(
    kind: str, data: dict[str, object], seq: int
) -> None:
    assert menu_of(kind, "x", data, seq, PHRASES) is None


@given(key=st.text(max_size=60))
def test_any_key_is_ours_or_nothing(key: str) -> None:
    found = pressed(key, PHRASES)
    assert found is None or found[0]


@pytest.mark.parametrize(
    "key", ["helpful:", "helpful:x", "helpful:²", "rate:6", "confirm:", "say:", "say:%%", "zz:1"]
)
def test_damaged_keys_are_nothing(key: str) -> None:
    assert pressed(key, PHRASES) is None


def test_a_bare_number_chooses_from_what_was_listed() -> None:
    ask = {"options": ["登不上", "很慢"]}
    assert typed("2", "ask", ask) == ("很慢", {})
    assert typed("３", "rating_request", {}) == ("3", {"kind": "rate", "stars": 3})
    for text in ("0", "3", "12", "二", "²", ""):
        assert typed(text, "ask", ask) is None
    assert typed("6", "rating_request", {}) is None
    assert typed("1", "answer", {}) is None
