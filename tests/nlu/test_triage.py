"""Judging whole messages: levels, kinds, evidence, and what must make no difference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.entities import EntityExtractor, Phrase
from nlu.similarity import SimilarityInterpreter
from nlu.triage import Triager
from nlu.triage_patterns import RULES
from nlu.triage_rules import Sign, find
from nlu.triage_types import Answers, Effect, Question, Scope, Similar, Triage
from nlu.types import EntityName, Intent
from store.vocabulary import Category, Severity
from tests.nlu.samples import sure

BARE = Triager(
    EntityExtractor(
        [
            Phrase("支付", EntityName.MODULE, "国库集中支付"),
            Phrase("支付申请", EntityName.MODULE, "支付申请"),
        ]
    )
)
GENERAL, URGENT, MAJOR = Severity
MESSAGES = (
    "全市支付都提交不了，一点送审就报系统异常",
    "我们单位所有电脑的打印控件都用不了",
    "支付申请怎么撤回",
    "就我这台电脑打不开",
    "报表导出超时，我们科室几个人都这样",
    "账号被锁了",
    "指标余额对不上",
)


def judged(text: str, **more: object) -> Triage:
    return BARE.triage(text, **more)  # type: ignore[arg-type]  # keyword arguments of triage


def rules(triage: Triage) -> set[str]:
    return {reason.rule.removeprefix("triage.rule.") for reason in triage.reasons}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("全市支付申请都提交不了，从早上到现在", MAJOR),
        ("我们全单位都登不上门户，试了一上午", MAJOR),
        ("政务外网断了，整栋楼都上不了系统", MAJOR),
        ("机房服务器硬盘坏了", MAJOR),
        ("系统瘫痪了", MAJOR),
        ("平台卡到爆，全市都在反映，根本做不了单", MAJOR),
        ("非税开不了票，大厅排长队了", MAJOR),
        ("报表模块打不开，我们科室几个人都这样", URGENT),
        ("十二个村都说支付提交不了", MAJOR),
        ("平台没一个人能登进去", MAJOR),
        ("边个都入唔到个系统", MAJOR),
        ("数据库满了，什么都存不了", MAJOR),
        ("收款码扫不了，食堂门口排长龙", MAJOR),
        ("打印服务挂了，我们科几个人都这样", URGENT),
        ("绩效自评提交失败，几个单位都登不进去", URGENT),
        ("批量开票失败，单张开票正常，我们全单位都这样", URGENT),
        ("点支付就报502", URGENT),
        ("附件我们单位所有人都传不上去", URGENT),
        ("支付页面报服务不可用，刷新就好了", GENERAL),
        ("就我这台电脑登不上，隔壁同事好好的", GENERAL),
        ("页面上的字体错位了", GENERAL),
        ("支付申请怎么录", GENERAL),
        ("这一笔支付报错，其他单正常", GENERAL),
    ],
)
def test_levels(text: str, level: Severity) -> None:
    assert judged(text).severity is level


@pytest.mark.parametrize(
    "text",
    [
        "如果全市支付都提交不了，怎么办",
        "听说隔壁市系统瘫痪了",
        "怎么才算系统瘫痪",
        "昨天全市都登不上，现在已经好了",
        "系统没瘫痪，我想问怎么导出",
        "请问有没有系统瘫痪时的应急预案",
        "我上次报的全单位登不上的单子处理完没有",
    ],
)
def test_suppositions_and_past_troubles_are_no_incident(text: str) -> None:
    triage = judged(text)
    assert (triage.severity, triage.incident) == (GENERAL, False)


@pytest.mark.parametrize("text", MESSAGES)
@pytest.mark.parametrize(
    "tone", ["急急急！！！", "在线等，领导就在旁边催", "今天下午三点前必须弄好", "有冇搞错啊！！"]
)
def test_tone_and_deadlines_never_change_the_level(text: str, tone: str) -> None:
    calm, loud = judged(text), judged(f"{tone}，{text}，{tone}")
    assert loud.severity is calm.severity
    noted = [r for r in loud.reasons if r.effect is Effect.NONE]
    assert {r.rule for r in noted} <= {"triage.rule.tone_ignored", "triage.rule.deadline_ignored"}
    assert noted


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("密码忘了，账号也锁了", Category.ACCOUNT),
        ("建议加个批量导入的功能", Category.REQUIREMENT),
        ("会议费超标准的部分能不能报销", Category.POLICY),
        ("指标余额跟台账对不上，差了两千块", Category.DATA),
        ("支付申请从哪里录入", Category.HOW_TO),
        ("系统报空指针异常", Category.FAULT),
    ],
)
def test_categories_by_rules_alone(text: str, category: Category) -> None:
    triage = judged(text)
    assert triage.category is category
    assert any(reason.effect is not Effect.NONE for reason in triage.reasons)


def test_what_several_people_cannot_do_is_no_mistake_of_theirs() -> None:
    alone, together = judged("插了ukey没反应"), judged("插了ukey没反应，全区单位都这样")
    assert (alone.category, together.category) == (Category.HOW_TO, Category.FAULT)
    assert together.severity is MAJOR


def test_similar_answers_tell_the_category() -> None:
    text = "这个怎么回事"
    similar = [Similar(Category.ACCOUNT, 0.9), Similar(Category.HOW_TO, 0.2)]
    assert judged(text, similar=similar).category is Category.ACCOUNT
    assert judged(text, similar=[Similar(Category.ACCOUNT, 0.0)]).category is (
        judged(text).category
    )


def test_the_intent_tells_the_category() -> None:
    text = "这笔能用吗"
    said = judged(text, understanding=sure(text, Intent.POLICY_QUESTION))
    assert said.category is Category.POLICY


def test_every_reason_has_words_from_the_text_and_a_known_rule() -> None:
    known = {rule.key for rule in RULES} | {"triage.rule.model", "triage.rule.intent"}
    for text in (*MESSAGES, "ＵＫＥＹ插了冇反應，全区單位都系咁"):
        for reason in judged(text).reasons:
            assert reason.rule in known
            assert reason.evidence in text


def test_reasons_say_what_raised_and_what_lowered() -> None:
    triage = judged("全市支付都报502，刷新就好了")
    effects = {reason.rule.removeprefix("triage.rule."): reason.effect for reason in triage.reasons}
    assert effects["scope_city"] is Effect.RAISES
    assert effects["restorable"] is Effect.LOWERS
    assert triage.severity is URGENT


def test_the_longest_module_is_named() -> None:
    assert judged("支付那边的支付申请打不开").module == "支付申请"
    assert judged("打不开").module is None


def test_uncertain_levels_ask_one_question_and_take_the_higher() -> None:
    unsure = judged("我们全单位付款都提交不了")
    assert (unsure.severity, unsure.question) == (MAJOR, Question.RESTORABLE)
    told = judged("我们全单位付款都提交不了", answers=Answers(restorable=True))
    assert (told.severity, told.question) == (URGENT, None)
    nameless = judged("支付系统崩溃了")
    assert (nameless.severity, nameless.question) == (MAJOR, Question.SCOPE)
    assert judged("支付系统崩溃了", answers=Answers(scope=Scope.SELF)).severity is GENERAL


def test_earlier_messages_count() -> None:
    text = "几个单位都这样"
    assert judged(text, earlier=["支付申请提交报系统异常"]).severity is MAJOR
    assert judged("就我一个人", earlier=["支付申请提交报系统异常"]).severity is GENERAL


def test_the_same_text_is_judged_the_same() -> None:
    assert [judged(text) for text in MESSAGES] == [judged(text) for text in MESSAGES]


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_judged(text: str) -> None:
    triage = judged(text)
    assert 0 < triage.confidence <= 1
    assert len(set(triage.reasons)) == len(triage.reasons)
    if triage.severity is not GENERAL:
        assert triage.incident


@pytest.mark.parametrize("text", ["", "啊" * 100_000, "全市" * 5_000, "\ud83d\x00", "1" * 3_000])
def test_hostile_texts_are_judged_quickly(text: str) -> None:
    assert judged(text).category in Category


def test_rule_names_are_unique_phrase_keys() -> None:
    keys = [rule.key for rule in RULES]
    assert len(keys) == len(set(keys)) > 30
    assert {rule.sign for rule in RULES} == set(Sign)


def test_claims_in_a_supposition_are_not_found() -> None:
    signs = {finding.rule.sign for finding in find("如果全市都瘫痪了,要怎么办", RULES)}
    assert Sign.SUPPOSED in signs
    assert not signs & {Sign.CITY, Sign.PARALYSED}
    mixed = {finding.rule.sign for finding in find("全市都瘫痪了。如果修好请告诉我", RULES)}
    assert {Sign.CITY, Sign.PARALYSED} <= mixed


def test_a_trained_triager_shows_the_words_that_moved_the_model(
    triager: Triager, shipped: SimilarityInterpreter
) -> None:
    text = "换了新手机号码，登录的验证码还是发到旧号"
    triage = triager.triage(text, understanding=shipped.understand(text))
    assert triage.category is Category.ACCOUNT
    assert "model" in rules(triage)
