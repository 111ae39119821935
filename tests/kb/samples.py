"""Small guides and tables for the tests of the knowledge base."""

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image as Picture

from kb.articles import AnswerKind, AnswerOrigin, Corpus, IndexedAnswer, Source
from kb.lexicon import Lexicon, load_lexicon
from kb.sections import (
    Block,
    FaqEntry,
    FaqTable,
    Guide,
    Image,
    Paragraph,
    Section,
    Step,
    Table,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LEXICON_DIR = Path(__file__).parents[2] / "data" / "lexicon"

SUBJECTS = (
    *("打印凭证", "登录门户", "更换手机号", "重置口令", "上传附件", "下载报表"),
    *("撤销送审", "录入申请", "核销票据", "开具缴款书", "签收回单", "调剂指标"),
    *("新增人员", "变更单位名称", "补办证书", "安装控件"),
)
FORMS = ("怎么{}", "如何{}", "{}在哪里操作", "我想{}，第一步点什么", "{}不会弄", "{}的步骤")


def png(colour: str = "red") -> bytes:
    """A tiny picture."""
    stream = io.BytesIO()
    Picture.new("RGB", (8, 8), colour).save(stream, "PNG")
    return stream.getvalue()


def make_guide(
    *, title: str = "支付申请操作指南", step: str = "点击“新增”按钮。", picture: bytes | None = None
) -> Guide:
    """Two sections below one chapter, with steps, a table and, if given, a picture."""
    images = {} if picture is None else {hashlib.sha256(picture).hexdigest(): picture}
    shown: tuple[Block, ...] = tuple(
        Image(sha256=sha256, media_type="image/png", name="a.png", caption="新增按钮")
        for sha256 in images
    )
    entering = Section(
        heading="1.1 录入支付申请",
        number="1.1",
        level=2,
        blocks=(Step("1.", "进入“支付管理”。"), Step("2.", step), *shown),
        page=3,
    )
    fields = Section(
        heading="1.2 字段说明",
        number="1.2",
        level=2,
        blocks=(Table((("字段", "含义"), ("用途", "写清楚付什么款"))),),
    )
    chapter = Section(
        heading="1 支付申请",
        number="1",
        blocks=(Paragraph("本章介绍支付申请。"),),
        children=(entering, fields),
    )
    return Guide(title=title, fmt="docx", sections=(chapter,), version="V1.2", images=images)


def make_entry(subject: str, *, ref: str = "", kind: str = "answer") -> FaqEntry:
    """An entry with six similar questions."""
    return FaqEntry(
        question=f"怎样{subject}？",
        answer=f"{subject}的办法：\n1. 打开{subject}页面；\n2. 按提示办理。",
        similar=tuple(form.format(subject) for form in FORMS),
        module="登录管理",
        ref=ref,
        category="操作咨询",
        kind=kind,
    )


def make_table(subjects: tuple[str, ...] = SUBJECTS) -> FaqTable:
    """One entry per subject, referenced F01, F02 …"""
    entries = tuple(
        make_entry(subject, ref=f"F{number:02}") for number, subject in enumerate(subjects, 1)
    )
    return FaqTable(title="常见问题", entries=entries)


def make_corpus(subjects: tuple[str, ...] = SUBJECTS) -> Corpus:
    """The table as a corpus, and one passage."""
    answers = [
        IndexedAnswer(
            answer_id=f"article-{entry.ref}",
            origin=AnswerOrigin.ARTICLE,
            kind=AnswerKind.ANSWER,
            title=entry.question,
            text=entry.answer,
            source=Source("常见问题"),
            questions=(entry.question, *entry.similar),
            ref=entry.ref,
        )
        for entry in make_table(subjects).entries
    ]
    passage = IndexedAnswer(
        answer_id="passage-1",
        origin=AnswerOrigin.PASSAGE,
        kind=AnswerKind.ANSWER,
        title="年终结转",
        text="年终结转在十二月办理。先核对结余，再提交结转申请，由业务科审核。",
        source=Source("年终指南", ("第一章", "年终结转")),
    )
    return Corpus((*answers, passage))


def lexicon() -> Lexicon:
    """The lexicon that the product ships."""
    return load_lexicon(LEXICON_DIR)
