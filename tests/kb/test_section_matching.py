"""Old and new sections of a guide: each fate, and that none is lost or counted twice."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kb.section_matching import Fate, SectionMatch, SectionText, bare, match_sections

ENTER = "进入支付管理，点击新增按钮，填写收款人与金额后保存。"
SEND = "勾选要送审的支付申请，点击送审，由业务科审核。"
BACK = "在已送审页签选中记录，点击撤销送审即可收回修改。"
CHAPTER = "1 支付申请"


def section(name: str, *path: str, text: str = "", pictures: tuple[str, ...] = ()) -> SectionText:
    number = path[-1].split()[0] if " " in path[-1] else ""
    paragraphs = tuple(line for line in text.split("\n") if line)
    return SectionText(name, path, number, paragraphs, pictures)


def only(old: list[SectionText], new: list[SectionText], name: str) -> SectionMatch:
    return next(one for one in match_sections(old, new) if one.old and one.old.id == name)


def test_what_stayed_is_the_same_and_what_was_rewritten_is_changed() -> None:
    old = [
        section("a", CHAPTER, "1.1 录入", text=ENTER),
        section("b", CHAPTER, "1.2 送审", text=SEND),
    ]
    new = [replace(old[0], id="a2"), section("b2", CHAPTER, "1.2 送审", text=BACK)]
    first, second = match_sections(old, new)
    assert (first.fate, first.is_changed) == (Fate.SAME, False)
    assert (second.fate, second.is_changed) == (Fate.CHANGED, True)


def test_a_section_that_got_another_number_has_only_moved() -> None:
    old = [
        section("a", CHAPTER, "1.1 录入", text=ENTER),
        section("b", CHAPTER, "1.2 送审", text=SEND),
    ]
    new = [
        section("a2", CHAPTER, "1.1 录入", text=ENTER),
        section("n", CHAPTER, "1.2 登记", text="全新的一节，说明登记的办法与要求。"),
        section("b2", CHAPTER, "1.3 送审", text=SEND),
    ]
    moved = only(old, new, "b")
    assert (moved.fate, moved.new[0].id, moved.is_changed) == (Fate.MOVED, "b2", False)
    assert [one.new[0].id for one in match_sections(old, new) if one.old is None] == ["n"]


def test_the_same_words_under_another_heading_are_a_renamed_section() -> None:
    old = [section("a", CHAPTER, "1.1 录入", text=ENTER)]
    renamed = only(old, [section("a2", "2 其他", "2.4 登记申请", text=ENTER)], "a")
    assert (renamed.fate, renamed.is_changed) == (Fate.RENAMED, False)
    assert only(old, [section("a2", CHAPTER, "1.1 录入支付", text=BACK)], "a").fate is Fate.RENAMED


def test_rewritten_words_are_still_recognised() -> None:
    old = [section("a", CHAPTER, "1.1 录入", text=ENTER + SEND)]
    new = [section("x", "9 附录", "9.9 怎样登记", text=ENTER.replace("新增", "增加") + SEND)]
    found = only(old, new, "a")
    assert (found.fate, found.is_changed) == (Fate.RENAMED, True)


def test_a_section_that_became_two_is_split() -> None:
    old = [section("a", CHAPTER, "1.1 录入和送审", text=f"{ENTER}\n{SEND}")]
    new = [
        section("x", CHAPTER, "1.1 录入", text=ENTER),
        section("y", CHAPTER, "1.2 送审", text=SEND),
    ]
    split = only(old, new, "a")
    assert split.fate is Fate.SPLIT
    assert {one.id for one in split.new} == {"x", "y"}
    assert split.is_changed


def test_what_is_gone_has_vanished() -> None:
    old = [section("a", CHAPTER, "1.1 录入", text=ENTER)]
    new = [
        section(
            "x", "3 票据", "3.1 开票", text="选择缴款人，填写项目与金额，核对无误后开具电子票据。"
        )
    ]
    assert [one.fate for one in match_sections(old, new)] == [Fate.VANISHED, Fate.NEW]


def test_another_screenshot_is_a_change_and_other_line_breaks_are_none() -> None:
    old = [section("a", CHAPTER, text=ENTER, pictures=("p1",))]
    assert only(old, [replace(old[0], pictures=("p2",))], "a").fate is Fate.CHANGED
    wrapped = replace(old[0], paragraphs=(ENTER[:9], " " + ENTER[9:]))
    assert only(old, [wrapped], "a").fate is Fate.SAME


def test_numbers_of_every_kind_are_left_off_headings() -> None:
    for heading in ("1.2.3 送审", "（一）送审", "第二章 送审", "三、送审", "4）送审", "送审"):
        assert bare(heading) == "送审"
    assert bare("2024") == "2024"


HEADINGS = st.sampled_from(["1 录入", "2 录入", "送审", "（一）撤回", "", "1.1 送审"])
TEXTS = st.sampled_from(["", "短", ENTER, SEND, BACK, ENTER + SEND, ENTER + SEND + BACK])
SECTIONS = st.builds(
    lambda path, texts, pictures: SectionText(
        "", tuple(path), path[-1].split()[0] if path else "", tuple(texts), tuple(pictures)
    ),
    st.lists(HEADINGS.filter(bool), max_size=3),
    st.lists(TEXTS, max_size=2),
    st.lists(st.sampled_from(["p", "q"]), max_size=1),
)
TREES = st.lists(SECTIONS, max_size=12)


def named(sections: list[SectionText], mark: str) -> list[SectionText]:
    return [replace(one, id=f"{mark}{at}") for at, one in enumerate(sections)]


@given(TREES, TREES)
def test_every_section_is_accounted_for_exactly_once(
    old: list[SectionText], new: list[SectionText]
) -> None:
    before, after = named(old, "o"), named(new, "n")
    matches = match_sections(before, after)
    assert Counter(one.old.id for one in matches if one.old) == Counter(one.id for one in before)
    assert Counter(n.id for one in matches for n in one.new) == Counter(one.id for one in after)
    for one in matches:
        assert (one.fate is Fate.NEW) == (one.old is None)
        assert (one.fate is Fate.VANISHED) == (not one.new)
        assert (one.fate is Fate.SPLIT) == (len(one.new) > 1)


@given(TREES)
def test_a_guide_is_unchanged_against_itself(sections: list[SectionText]) -> None:
    matches = match_sections(named(sections, "o"), named(sections, "n"))
    assert all(one.fate is Fate.SAME and not one.is_changed for one in matches)
