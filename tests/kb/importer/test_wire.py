"""The pipe between the importer and the process that parses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ImportRefused, RefusalReason
from kb.importer.wire import MalformedReply, decode, encode, image_sizes
from kb.sections import (
    Callout,
    FaqEntry,
    FaqTable,
    Guide,
    Image,
    ImportNotice,
    Paragraph,
    Reference,
    Section,
    Step,
    Table,
    WarningCode,
)

TEXT = st.text(max_size=8)
IMAGES = st.builds(Image, TEXT, TEXT, TEXT, TEXT, st.none() | st.integers(1, 9))
ICONS = st.lists(IMAGES, max_size=1).map(tuple)
BLOCKS = st.one_of(
    IMAGES,
    st.builds(Paragraph, TEXT, st.none() | TEXT, ICONS),
    st.builds(Step, TEXT, TEXT, ICONS),
    st.builds(Callout, TEXT, TEXT, TEXT, ICONS),
    st.builds(Table, st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)),
)
NOTICES = st.builds(ImportNotice, st.sampled_from(WarningCode), TEXT, st.tuples(TEXT))
SECTIONS = st.recursive(
    st.builds(Section, TEXT),
    lambda inner: st.builds(
        Section,
        TEXT,
        number=TEXT,
        blocks=st.lists(BLOCKS, max_size=2).map(tuple),
        children=st.lists(inner, max_size=2).map(tuple),
        page=st.none() | st.integers(1, 99),
        warnings=st.lists(NOTICES, max_size=1).map(tuple),
        references=st.just((Reference("同1.1", ("甲",)), Reference("见2.2"))),
    ),
    max_leaves=4,
)
GUIDES = st.builds(
    Guide,
    TEXT,
    st.just("docx"),
    st.lists(SECTIONS, max_size=2).map(tuple),
    version=st.none() | TEXT,
    images=st.dictionaries(TEXT, st.binary(max_size=9), max_size=2),
    warnings=st.lists(NOTICES, max_size=1).map(tuple),
    meta=st.dictionaries(TEXT, TEXT, max_size=2),
)


@given(GUIDES)
def test_a_guide_crosses_the_pipe_unchanged(guide: Guide) -> None:
    head, images = encode(guide)
    assert decode(head, dict(zip(image_sizes(head), images, strict=True))) == guide


def test_tables_and_refusals_cross_too() -> None:
    table = FaqTable("问答", (FaqEntry("问", "答", ("问法",)),))
    assert decode(encode(table)[0], {}) == table
    with pytest.raises(ImportRefused) as refused:
        decode(encode(ImportRefused(RefusalReason.DRM, "x"))[0], {})
    assert (refused.value.reason, refused.value.detail) == (RefusalReason.DRM, "x")


@pytest.mark.parametrize(
    "reply",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"refused": "because"}',
        b'{"result": {"$": "Popen", "args": ["true"]}}',
        b'{"result": {"$": "Paragraph", "text": "not a guide"}}',
        b'{"result": {"$": "Guide"}}',
        b'{"result": {"$": "Guide", "title": 5, "fmt": "docx", "sections": []}}',
        b'{"result": {"$": "Guide", "title": "x", "fmt": "docx", "sections": "x"}}',
        b'{"result": {"$": "FaqTable", "title": "x", "entries": [], "more": 1}}',
    ],
)
def test_nothing_but_values_comes_out(reply: bytes) -> None:
    with pytest.raises(MalformedReply):
        decode(reply, {})


@pytest.mark.parametrize("sizes", [[1], {"a": -1}, {"a": "many"}])
def test_picture_sizes_are_checked(sizes: object) -> None:
    with pytest.raises(MalformedReply):
        image_sizes(json.dumps({"images": sizes}).encode())
