"""The shipped clarification groups: each asks when it should and keeps quiet when it should not."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.dialogue.clarifications import Clarifications, Pair, load

DATA = Path(__file__).parents[2] / "data"
PATH = DATA / "dialogue" / "clarifications.yml"

#: What users say when a message is too short to tell which matter is meant; "|" between two.
AMBIGUOUS_TEXTS = {
    "quota_or_indicator": (
        "我们单位额度没了|昨天还能付，今天额度没有了|想付水费，可是没额度啊|点解冇额度嘅|"
        "指标没到，付不了款|指标未到，供应商追紧|钱没下来怎么办|笔钱未落，点算|早上一看指标没了"
    ),
    "indicator_level": (
        "帮我看看指标到哪了|那条指标到哪儿了呀|指标到哪一步了|指标走到哪个环节了|指标卡在哪里|"
        "只标到哪了"
    ),
    "add_move_or_correct": (
        "想给这个项目加点钱|年底要加些钱|能把办公费挪一下吗|想从那边挪点钱过来|"
        "怎么跟财政多要点钱|有条指标要改|这条指标改一下|把指标动一下行不行"
    ),
    "declared_or_added": (
        "报上去了怎么还没钱|上周报上去了还没钱|报了还没钱啊|领导都批了还没钱|申请了还没钱|"
        "报咗仲未有钱"
    ),
    "compilation_round": (
        "第一次报的表在哪改|第二次报的时候金额填错|第一轮报完了|第二轮报什么内容|"
        "头一轮的数填错了|这一轮报到几号"
    ),
    "which_budget_figure": (
        "系统数不对|系统的数不对呀|预算的数不对|我们预算数不对|跟文件的数不一样|同文件个数唔同"
    ),
    "saved_or_submitted": (
        "我提交了呀|我明明提交过的|早就提交了呀|交上去了没看到|领导说没看到我的单|"
        "审核说没有我那张|领导话见唔到张单"
    ),
    "returned_by_whom": (
        "单子被打下来了|张单又打返转头|又打下来了，烦死|我的单被弹回来|我的单子被退了|"
        "怎么单子退了|张单畀人退咗"
    ),
    "money_came_back": (
        "钱退了怎么办|上周付的钱退回来了|啲钱退返嚟点搞|款退回来要怎么做|钱被退了|付出去的钱回来了"
    ),
    "wrong_payment": (
        "付错了怎么改|不小心付错钱|昨天那笔付款付错|支付错了，怎么弄|俾错咗，点改|有一笔付款做错"
    ),
    "monitoring_result": (
        "我的单被监控了|监控不给过|点送审系统不给过|张单唔俾过|这笔款不让过|被系统卡住了|"
        "说触发规则了"
    ),
    "which_password": (
        "密码错了|说我密码不对|密码忘了|忘记密码|忘了密码怎么办|密码唔啱喎|唔记得密码|"
        "提示口令错误|口令不对"
    ),
    "certificate_or_seal": (
        "盾用不了|我的盾不行了|盾有问题|锁用不了|这把锁不行|锁有问题|Key用不了|KEY不行|"
        "我的key有问题|章用不了|章有问题|条key用唔到|证书用不了"
    ),
    "which_right": (
        "提示没权限|说我没有权限|点开提示无权限|话我冇权限|权限不够|权限不足，请联系管理人员|"
        "我没得权限"
    ),
    "cannot_get_in": (
        "系统进不去|今日进唔到|我入唔到系统|平台上不去|登不上|怎么登不进来|个系统登唔到|"
        "我登录不了|登陆不了啦"
    ),
    "which_payment_entry": (
        "付款从哪进|付款从哪里进去|付款喺边度入|要从哪里付款|在哪付款|付款在哪里|这个钱从哪付"
    ),
    "old_payment_types": (
        "授权没了|授权怎么没了|授权冇咗|以前的授权去哪了|直接支付没了|找不到授权那个菜单"
    ),
    "which_account": (
        "能不能转到基本户|想转去基本户|把钱转基本户|这笔要转到专户|转到我们账户上|"
        "转到自己账户行不行"
    ),
    "cash_voucher_or_receipt": (
        "凭证打不出来|凭证打不了|打不出凭证|凭证印唔到|凭证打印不了|凭证打印不出"
    ),
    "which_receipt": "回单没来|回单没有来|回单未到|回单没到|都没有回单|我的回单呢|成日冇回单",
    "clearing_or_arrival": "清算失败|怎么清算不了|清算不成功|到现在没清算|笔款清唔到",
    "void_or_offset_receipt": (
        "票开错了要怎么弄|张票开错咗|不小心开错票|票错了要删|这张票要删掉|票写错了金额"
    ),
    "fee_receipt_or_invoice": (
        "给人家开个发票|我要开发票|帮我开张发票|对方要发票|怎么开张票|开个票给他"
    ),
    "reversal_side": "红冲怎么弄|想冲掉一张|有一张要冲掉|怎么冲一张负数|要开红字|想做个红字",
    "carried_over_or_surplus": (
        "今年剩的钱怎么办|剩的钱还能用吗|剩下的钱去哪了|没花完的钱怎么处理|年底钱没花完|"
        "啲钱用唔晒点算|用不完的钱"
    ),
    "closing_what": (
        "结完了想改|我结完想改一下|结咗想改点搞|结过了还能改吗|已经结了想改|结了还能改不"
    ),
    "generated_or_manual_voucher": (
        "凭证错了|凭证做错了|凭证录错了怎么办|有张凭证要改|怎么改凭证|凭证不对"
    ),
    "which_two_tables": (
        "数不一致怎么办|两边的数不一样|两张表对不上|两个表对不上|两张表唔同数|报表对不上"
    ),
    "procurement_stage": (
        "采购那个单怎么弄|采购单子被压住了|采购的单在哪|采购报不了|采购那边的单没动|"
        "采购嗰张单点搞|采购交不了"
    ),
    "what_is_exceeded": "提示超了|系统说超了|保存显示超了|一交就报超了|佢话超咗|老说我超",
    "performance_stage": (
        "绩效那个怎么弄|绩效嗰个点搞|绩效怎么填|绩效在哪填|绩效点填㗎|叫我填绩效|绩效的表不会弄|"
        "绩效交不了"
    ),
    "which_code": (
        "单位代码是什么|我们单位的代码|代码填什么|代码填哪个|单位编码是多少|单位编码填什么"
    ),
    "card_step": "卡没还|卡还没还上|张卡未还|公务卡怎么还|公务卡点还|卡的钱还没进去",
    "salary_not_received": (
        "工资没到|工资没发下来|这个月没发工资|没收到工资|今个月未出粮|冇出粮呀|粮未到|工资没下来"
    ),
    "not_transferred": (
        "没同步过来|数据没有同步|到而家都未同步|怎么没同步|同步不过来|数据没过来|数据没传过来|"
        "冇同步喎"
    ),
    "which_part_is_broken": (
        "系统坏了|系统坏咗|你们系统有问题|系统不行了|系统用不了|平台用不了|平台坏了|个系统死咗"
    ),
    "how_urgent": "急急急！！！|十万火急|火烧眉毛了|急死人了|好急啊|急到死",
    "which_side": "领导那边过不去|领导怎么审|领导怎么批|领导点样批|上面不批|上面没批|上面唔批点算",
}
AMBIGUOUS = {key: tuple(texts.split("|")) for key, texts in AMBIGUOUS_TEXTS.items()}

#: What users say when the message itself tells the matter: nobody should be asked anything.
UNAMBIGUOUS = (
    "付款时提示可用余额不足，还差三千",
    "刚切换到新年度，去年的指标查不到",
    "今年的指标什么时候下达",
    "业务科说指标还在科室，没分到单位",
    "年中想申请追加经费，流程怎么走",
    "调剂单交了一个星期没人审",
    "资金申报通过了，和追加是一回事吗",
    "一上和二上有什么区别",
    "二上绩效目标被退，说不量化",
    "控制数能不能突破",
    "支付申请送审了，想撤销",
    "单子停在未送审，审核看不到",
    "支付单被审核岗退回，在哪里看意见",
    "银行退票了，户名写错，怎么重新付",
    "供应商把多付的款主动退了",
    "去年付的款今年才退回来",
    "付完款发现科目用错，想做更正",
    "送审失败，提示疑似违规触发2条",
    "单据被冻结，怎么解冻",
    "UKey的PIN码输错锁死了",
    "网页登录提示用户名或密码错误",
    "手机收不到短信验证码",
    "插了UKey电脑没反应",
    "证书下个月过期，怎么续",
    "换了新电脑，盾用不了，要装什么",
    "登录后菜单少了支付录入",
    "菜单能打开，但查不到我们单位的数据",
    "我们单位很多人同时进不去门户",
    "单位资金支付和国库集中支付有什么不同",
    "现在还分授权支付和直接支付吗",
    "零余额账户可以给工会转钱吗",
    "支付凭证什么时候可以打印",
    "升级以后凭证打不出来",
    "清算回单失败，一批四十多笔",
    "单位资金的支付凭证回单怎么签收",
    "电子票开错了，作废还是冲红",
    "换开纸票时卡纸了",
    "我们单位要开通电子缴款书",
    "重复缴了一笔，怎么退",
    "项目没做完，剩的钱能结转明年吗",
    "上个月已经结账，想反结账改凭证",
    "机制凭证错了怎么冲销",
    "政府财务报告和部门决算的数不一样",
    "采购计划从哪里新增",
    "采购备案提示数量超了",
    "年中绩效监控怎么填",
    "自评报告要盖章吗",
    "决算封面的单位代码怎么填",
    "公务卡还款几天到账",
    "新来的同事这个月没发工资",
    "政采合同没同步到支付",
    "报表打开很慢，一直转圈",
    "页面报502网关错误",
    "想要一本操作手册",
)


@pytest.fixture(scope="module")
def groups() -> Clarifications:
    return load(PATH)


def standard_questions() -> Iterator[str]:
    for path in sorted((DATA / "faq").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from (row["question"] for row in csv.DictReader(lines))


def asked(groups: Clarifications, text: str) -> str | None:
    clarification = groups.match(text)
    return None if clarification is None else clarification.key


def pair_of(groups: Clarifications, key: str) -> Pair:
    return next(pair for pair in groups.pairs if pair.clarification.key == key)


def test_every_group_has_its_own_key_and_examples_here(groups: Clarifications) -> None:
    keys = [pair.clarification.key for pair in groups.pairs]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert set(keys) == set(AMBIGUOUS)
    assert len(keys) >= 36


def test_no_trigger_belongs_to_two_groups(groups: Clarifications) -> None:
    counts = Counter(trigger for pair in groups.pairs for trigger in pair.triggers)
    assert [trigger for trigger, count in counts.items() if count > 1] == []


def test_triggers_are_short_but_say_something(groups: Clarifications) -> None:
    lengths = {trigger: len(trigger) for pair in groups.pairs for trigger in pair.triggers}
    assert {t: n for t, n in lengths.items() if not 2 <= n <= 10} == {}
    assert not {"指标", "额度", "密码", "权限", "系统", "绩效", "凭证", "采购"} & set(lengths)


@pytest.mark.parametrize("key", AMBIGUOUS)
def test_question_and_options_fit_a_chat_window(groups: Clarifications, key: str) -> None:
    clarification = pair_of(groups, key).clarification
    assert clarification.question.startswith("请问")
    assert clarification.question.endswith("？")
    assert len(clarification.question) <= 40
    assert 2 <= len(clarification.options) <= 4
    assert len(set(clarification.options)) == len(clarification.options)
    assert all(2 <= len(option) <= 16 for option in clarification.options)


@pytest.mark.parametrize(
    ("key", "text"), [(key, text) for key, texts in AMBIGUOUS.items() for text in texts]
)
def test_an_ambiguous_message_is_asked_about(groups: Clarifications, key: str, text: str) -> None:
    assert asked(groups, text) == key


@pytest.mark.parametrize("key", AMBIGUOUS)
def test_every_trigger_is_reached_by_an_example(groups: Clarifications, key: str) -> None:
    examples = [text.lower() for text in AMBIGUOUS[key]]
    unused = [t for t in pair_of(groups, key).triggers if not any(t in text for text in examples)]
    assert unused == []


@pytest.mark.parametrize("key", AMBIGUOUS)
def test_an_option_settles_the_question(groups: Clarifications, key: str) -> None:
    pair = pair_of(groups, key)
    for text in AMBIGUOUS[key]:
        for option in pair.clarification.options:
            assert not pair.applies(f"{text} {option}".lower()), (text, option)


@pytest.mark.parametrize("text", UNAMBIGUOUS)
def test_a_clear_message_is_not_asked_about(groups: Clarifications, text: str) -> None:
    assert asked(groups, text) is None


def test_standard_questions_are_hardly_ever_asked_about(groups: Clarifications) -> None:
    questions = list(standard_questions())
    assert len(questions) >= 300
    asking = {question: key for question in questions if (key := asked(groups, question))}
    assert len(asking) < len(questions) * 0.02, asking


def test_case_of_latin_letters_does_not_matter(groups: Clarifications) -> None:
    assert asked(groups, "KEY用不了") == asked(groups, "key用不了") == "certificate_or_seal"
    assert asked(groups, "UKEY密码忘了") is None
