"""Sections cut into passages: nothing lost, nothing torn."""

import re

from hypothesis import given
from hypothesis import strategies as st

from kb.passages import PASSAGE_CHARS, make_passages
from kb.sections import (
    Block,
    Callout,
    Guide,
    Image,
    Paragraph,
    Reference,
    Section,
    Step,
    Table,
    block_text,
    table_lines,
)

WORDS = st.text("甲乙丙丁。；", min_size=1, max_size=120)
CELLS = st.text("甲乙丙", min_size=1, max_size=30)
BLOCKS = st.one_of(
    st.builds(Paragraph, WORDS),
    st.builds(Step, st.sampled_from(["1、", "（2）", "•"]), WORDS),
    st.builds(Callout, st.just("note"), WORDS),
    st.builds(Image, CELLS, st.just("image/png"), caption=CELLS),
    st.builds(Paragraph, st.just(""), st.sampled_from(["操作步骤", "注意事项"])),
)
TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=12).map(
        lambda rows: Table((("列",) * width, *rows))
    )
)
SECTIONS = st.recursive(
    st.builds(Section, CELLS, blocks=st.lists(BLOCKS, max_size=6).map(tuple)),
    lambda inner: st.builds(
        Section,
        CELLS,
        blocks=st.lists(BLOCKS, max_size=6).map(tuple),
        children=st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=6,
)


def guide(*sections: Section) -> Guide:
    """A guide of these sections."""
    return Guide("手册", "md", sections)


def bare(text: str) -> str:
    """Text without blanks, which cutting may turn into line ends."""
    return re.sub(r"\s", "", text)


@given(st.lists(SECTIONS, max_size=4), st.integers(60, 700))
def test_passages_join_back_to_the_text_of_each_section(
    sections: list[Section], limit: int
) -> None:
    made = guide(*sections)
    passages = make_passages(made, limit=limit)
    joined = "".join(bare(passage.text) for passage in passages)
    texts = [
        "".join(bare(block_text(block)) for block in section.blocks)
        or (bare(section.heading) if section.blocks else "")
        for _, section in made.walk()
    ]
    assert joined == "".join(texts)


@given(st.lists(SECTIONS, max_size=4), st.integers(60, 700))
def test_no_block_and_no_heading_with_text_is_lost(sections: list[Section], limit: int) -> None:
    made = guide(*sections)
    passages = make_passages(made, limit=limit)
    assert [passage.position for passage in passages] == list(range(len(passages)))
    told = {passage.section_path for passage in passages}
    for path, section in made.walk():
        if any(block_text(block) for block in section.blocks):
            assert path in told
    images = [block for _, section in made.walk() for block in section.blocks
              if isinstance(block, Image)]  # fmt: skip
    kept = [block for passage in passages for block in passage.blocks if isinstance(block, Image)]
    assert kept == images


@given(st.lists(BLOCKS, min_size=1, max_size=12), st.integers(100, 700))
def test_a_passage_is_long_only_where_one_block_is(blocks: list[Block], limit: int) -> None:
    for passage in make_passages(guide(Section("甲", blocks=tuple(blocks))), limit=limit):
        longest = max(len(block_text(block)) for block in passage.blocks)
        assert len(passage.text) <= max(limit * 1.25 + 12, longest + 12)


@given(TABLES, st.integers(60, 200))
def test_a_long_table_repeats_its_header_and_loses_no_row(table: Table, limit: int) -> None:
    passages = make_passages(guide(Section("甲", blocks=(table,))), limit=limit)
    rows: list[str] = []
    for passage in passages:
        (block,) = passage.blocks
        assert isinstance(block, Table)
        assert block.rows[0] == table.rows[0]
        rows.extend(table_lines(block)[1:])
    assert rows == list(table_lines(table)[1:])


def test_a_section_that_fits_is_one_passage_with_its_subsections_apart() -> None:
    made = guide(
        Section("甲", blocks=(Paragraph("说明。"),), page=3,
                children=(Section("子", blocks=(Step("1、", "点击。"), Step("2、", "保存。"))),))
    )  # fmt: skip
    first, second = make_passages(made)
    assert (first.section_path, first.heading, first.text, first.page) == (
        ("甲",),
        "甲",
        "说明。",
        3,
    )
    assert (second.section_path, second.text) == (("甲", "子"), "1、 点击。\n2、 保存。")


def test_text_before_the_first_heading_carries_the_title() -> None:
    (passage,) = make_passages(guide(Section("", blocks=(Paragraph("声明。"),))))
    assert (passage.section_path, passage.heading) == ((), "手册")


def test_long_text_is_cut_between_steps_and_a_label_goes_with_what_follows() -> None:
    blocks = (
        Paragraph("说明" * 150),
        Paragraph("", label="操作步骤"),
        *(Step(f"{n}、", "点击" * 60) for n in range(1, 8)),
    )
    passages = make_passages(guide(Section("甲", blocks=blocks)), limit=320)
    assert passages[0].text.endswith("说明")
    assert passages[1].text.startswith("操作步骤：\n1、")
    assert all(len(passage.text) <= 400 for passage in passages)


def test_one_enormous_paragraph_is_cut_between_sentences() -> None:
    text = "这是一句不长不短的话，用来凑数。" * 100
    passages = make_passages(guide(Section("甲", blocks=(Step("1、", text),))))
    assert len(passages) > 1
    assert all(len(passage.text) <= PASSAGE_CHARS + 10 for passage in passages)
    assert isinstance(passages[0].blocks[0], Step)
    assert "".join(passage.text for passage in passages) == f"1、 {text}"


def test_each_row_of_a_question_table_answers_for_itself() -> None:
    table = Table(
        (("问题", "原因", "处理"), ("打不开", "没有封面", "新建"), ("锁定", "已审", "解锁"))
    )
    passages = make_passages(guide(Section("常见问题", blocks=(Paragraph("如下。"), table))))
    assert [passage.text for passage in passages] == [
        "如下。",
        "问题 | 原因 | 处理\n打不开 | 没有封面 | 新建",
        "问题 | 原因 | 处理\n锁定 | 已审 | 解锁",
    ]


def test_a_folded_question_answers_for_itself() -> None:
    blocks = (
        Paragraph("如下。"),
        Callout("details", "找管理员。", title="怎么撤回？"),
        Callout("details", "1. 填写。", title="审批要求"),
    )
    passages = make_passages(guide(Section("常见问题", blocks=blocks)))
    assert [len(passage.blocks) for passage in passages] == [1, 1, 1]


def test_a_section_of_screenshots_only_says_its_heading() -> None:
    image = Image("ab", "image/png")
    (passage,) = make_passages(guide(Section("首次登录", blocks=(image, image))))
    assert (passage.text, passage.images) == ("首次登录", (image,))


def test_icons_count_as_pictures_of_the_passage() -> None:
    icon = Image("cd", "image/png")
    (passage,) = make_passages(
        guide(Section("甲", blocks=(Paragraph("[图标]：删除", icons=(icon,)),)))
    )
    assert passage.images == (icon,)


def test_empty_sections_and_revision_records_give_no_passage() -> None:
    made = guide(
        Section("空"),
        Section("略写", blocks=(Paragraph("略。"),)),
        Section("没做", blocks=(Paragraph("暂未开发相关功能"),)),
        Section("修改记录", blocks=(Table((("版本", "日期"), ("V1", "2026"))),)),
        Section("文档变更说明", blocks=(Paragraph("改了。"),)),
    )
    assert make_passages(made) == ()


def test_references_stay_with_the_passage_that_makes_them() -> None:
    reference = Reference("同5.2.1", ("5 审核", "5.2.1 撤回"))
    section = Section("甲", blocks=(Paragraph("操作同5.2.1。"), Paragraph("长" * 700)),
                      references=(reference,))  # fmt: skip
    first, second = make_passages(guide(section))
    assert (first.references, second.references) == ((reference,), ())
