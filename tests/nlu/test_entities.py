"""Entities told by their form and by known phrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.entities import EntityExtractor, Phrase, merge
from nlu.similarity import SimilarityInterpreter
from nlu.training_data import Annotation, Example, TrainingData
from nlu.types import Entity, EntityName

BARE = EntityExtractor()


def found(extractor: EntityExtractor, text: str) -> list[tuple[str, str]]:
    return [(str(entity.name), entity.value) for entity in extractor.extract(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CW20261121-0007到哪了", [("ticket_number", "CW20261121-0007")]),
        ("ｃｗ２０２６１１２１－０００７", [("ticket_number", "CW20261121-0007")]),
        ("cw20261121 0007", [("ticket_number", "CW20261121-0007")]),
        ("我电话138 0013 8000", [("phone", "13800138000")]),
        ("固话0757-83001234转3", [("phone", "0757-83001234")]),
        ("单号ZF202611060015", [("document_number", "ZF202611060015")]),
        ("佛财教〔2026〕45号", [("document_number", "佛财教〔2026〕45号")]),
        ("2026年度指标", [("fiscal_year", "2026年度")]),
        ("去年的结余", [("fiscal_year", "去年")]),
        ("2026年3月报的", []),
        ("提示“余额不足，请先调整”怎么办", [("error_text", "余额不足，请先调整")]),
        ("登录就报502", [("error_text", "502")]),
        ("付了502元", []),
        ("报ORA-00942", [("error_text", "ORA-00942")]),
        ("提示失败", []),
        ("我们是南海区大沥镇财政所的", [("unit", "南海区大沥镇财政所")]),
        ("我们学校的账", []),
        ("买绿植装饰办公室可以吗", []),
        ("明天下午三点前要付", [("deadline", "明天下午三点前")]),
        ("全单位都这样", [("scope", "全单位")]),
        ("就我一个人不行", [("scope", "就我一个人")]),
        ("单位资金怎么付", []),
        ("大家好", []),
    ],
)
def test_formats(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(BARE, text) == expected


def test_known_phrases_carry_their_normal_form(small: SimilarityInterpreter) -> None:
    assert found(small.extractor, "门户和支付申请都打不开") == [
        ("module", "统一门户"),
        ("module", "支付申请"),
    ]


def test_the_longest_phrase_wins(small: SimilarityInterpreter) -> None:
    assert found(small.extractor, "支付凭证") == [("module", "支付凭证")]


def test_latin_phrases_are_whole_words(small: SimilarityInterpreter) -> None:
    assert found(small.extractor, "ca锁") == [("module", "CA")]
    assert found(small.extractor, "local") == []


def test_morning_is_no_budget_round() -> None:
    rounds = EntityExtractor([Phrase("一上", EntityName.MODULE, "一上收支预算编制")])
    assert found(rounds, "弄了一上午") == []
    assert found(rounds, "一上怎么报") == [("module", "一上收支预算编制")]


def test_a_phrase_must_be_annotated_where_it_is_said() -> None:
    known, loose = "结转", "结余"
    examples = [
        Example(f"{known}做完了", "x", (Annotation("module", known, 0, 2),)),
        Example(f"{loose}做完了", "x", (Annotation("module", loose, 0, 2),)),
        Example(f"有{loose}吗", "x"),
        Example(f"没{loose}了", "x"),
    ]
    extractor = EntityExtractor.from_training(TrainingData(tuple(examples)))
    assert found(extractor, f"{known}{loose}") == [("module", known)]


def test_foreign_names_are_left_out() -> None:
    data = TrainingData((), {}, {"city": ("[a-z]+",)}, {"city": ("北京",)})
    assert found(EntityExtractor.from_training(data), "北京abc") == []


def test_saved_and_read_again(small: SimilarityInterpreter) -> None:
    copy = EntityExtractor.from_json(small.extractor.to_json())
    text = "门户 ZF20261106 支付申请 CA"
    assert copy.extract(text) == small.extractor.extract(text)


@given(
    st.text(
        st.sampled_from("支付申请门户CWcw0123456789-年度报全单位都，。 ZFzfca提示“”"), max_size=60
    )
)
def test_entities_are_in_order_and_apart(text: str) -> None:
    extractor = EntityExtractor(
        [
            Phrase("支付", EntityName.MODULE, "支付"),
            Phrase("支付申请", EntityName.MODULE, "支付申请"),
        ]
    )
    end = 0
    for entity in extractor.extract(text):
        assert end <= entity.start < entity.end <= len(text)
        end = entity.end


def test_learned_entities_fill_the_gaps() -> None:
    sure = Entity(EntityName.MODULE, "支付", 0, 2)
    beside = Entity(EntityName.UNIT, "某局", 4, 6, 0.5)
    across = Entity(EntityName.ERROR_TEXT, "付申", 1, 3, 0.9)
    assert merge((sure,), (across, beside)) == (sure, beside)


def test_two_learned_entities_never_overlap() -> None:
    short = Entity(EntityName.UNIT, "某局", 0, 2)
    long = Entity(EntityName.UNIT, "某局办", 0, 3)
    assert merge((), (short, long)) == (long,)
