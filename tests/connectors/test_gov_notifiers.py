"""The government's DingTalk and two gateways of short messages: signatures, arrivals, refusals."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import pytest

from connectors import dingtalk_gov, sms_aliyun, sms_mas
from connectors.base import Held, PermanentError, TransientError
from connectors.dingtalk_gov import GovDingtalk, GovDingtalkConfig
from connectors.notify_base import Misconfigured, Notifier
from connectors.sms_aliyun import AliyunSmsConfig, AliyunSmsGateway
from connectors.sms_gateway import SmsNotifier
from connectors.sms_mas import MasSmsConfig, MasSmsGateway
from tests.connectors.notify_peers import client, http_peer
from tests.connectors.test_notifiers import NOTICE, SECRET, clock

PHONE = replace(NOTICE, recipient="13800000000")
ACCOUNT = replace(NOTICE, recipient="10021")
TAKEN = {"success": True, "content": {"success": True, "responseCode": "0"}}
TOKEN = {
    "success": True,
    "content": {"success": True, "data": {"accessToken": "t-1", "expiresIn": 7200}},
}


def aliyun(address: str, **more: Any) -> Notifier:
    config = AliyunSmsConfig(
        url=address,
        access_key_id="key-id",
        access_key_secret=SECRET,
        sign="财问",
        templates={"*": "SMS_1", "resolved": "SMS_2"},
        **more,
    )
    return SmsNotifier(AliyunSmsGateway(client(), config, clock), config, clock)


def mas(address: str, **more: Any) -> Notifier:
    given: dict[str, Any] = {"templates": {"*": "tpl1"}, **more}
    config = MasSmsConfig(
        url=address, ec_name="市财政局", ap_id="caiwen", secret_key=SECRET, sign="SIGN", **given
    )
    return SmsNotifier(MasSmsGateway(client(), config), config, clock)


def gov(address: str) -> Notifier:
    config = GovDingtalkConfig(
        base_url=address, app_key="AK", app_secret=SECRET, tenant_id="196729"
    )
    return GovDingtalk(client(), config, clock)


def test_the_signature_of_aliyun_is_the_vendors_own_example() -> None:
    parameters = {
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
        "AccessKeyId": "testId",
        "SignatureVersion": "1.0",
        "Timestamp": "2017-07-12T02:42:19Z",
        "Format": "XML",
        "Action": "SendSms",
        "Version": "2017-05-25",
        "RegionId": "cn-hangzhou",
        "PhoneNumbers": "15300000001",
        "SignName": "阿里云短信测试专用",
        "TemplateParam": '{"customer":"test"}',
        "TemplateCode": "SMS_71390007",
        "OutId": "123",
    }
    known = "zJDF+Lrzhj/ThnlvIToysFRq6t4="
    assert sms_aliyun.signature("testSecret", parameters, "GET") == known
    assert sms_aliyun.signature("testSecret", parameters | {"OutId": "124"}, "GET") != known


def test_the_signature_of_the_governments_dingtalk_is_known() -> None:
    values = {"appsecret": "SK", "appkey": "AK"}
    text = dingtalk_gov.to_sign(
        "POST", "2023-11-15T06:13:20.000+08:00", "17000000000001234", "/gettoken.json", values
    )
    assert text.endswith("\n/gettoken.json\nappkey=AK&appsecret=SK")
    known = "thi35ZaJoQHIq1ltEqwkMRdVhEnne0Oy4K5KJLX9C+4="
    assert dingtalk_gov.signature("SK", text) == known
    bare = dingtalk_gov.to_sign("GET", "T", "N", "/x", {})
    assert bare == "GET\nT\nN\n/x"


def test_the_mac_of_mas_is_over_the_values_in_a_row() -> None:
    # printf '%s' 'ecapsk13800000000hisg' | md5sum
    assert sms_mas.mac(["ec", "ap", "sk", "13800000000", "hi", "sg", ""]) == (
        "8a0dea339a587f951fd5673be1fea72e"
    )


async def test_aliyun_gets_a_signed_template() -> None:
    async with http_peer(always={"Code": "OK", "BizId": "1"}) as peer:
        notifier = aliyun(peer.address)
        await notifier.send(PHONE)
        await notifier.send(replace(PHONE, template="resolved"))
        first, second = (
            {name: one[0] for name, one in parse_qs(taken.body.decode()).items()}
            for taken in peer.taken
        )
        signed = first.pop("Signature")
        assert sms_aliyun.signature(SECRET, first) == signed
        assert (first["TemplateCode"], second["TemplateCode"]) == ("SMS_1", "SMS_2")
        assert (first["PhoneNumbers"], first["SignName"]) == ("13800000000", "财问")
        assert json.loads(first["TemplateParam"])["severity"] == "重大"
        assert first["Timestamp"] == "2026-11-20T02:00:00Z"
        assert first["SignatureNonce"] != second["SignatureNonce"]
        assert first["OutId"] == second["OutId"]
        assert SECRET.encode() not in peer.taken[0].body
        await notifier.close()


async def test_mas_gets_a_template_or_words_with_its_mac() -> None:
    async with http_peer(always={"rspcod": "success", "success": True}) as peer:
        notifier = mas(peer.address)
        await notifier.send(PHONE)
        told = json.loads(base64.b64decode(peer.taken[0].body))
        params = '["FS20261120-0001", "重大", "新工单"]'
        assert (told["templateId"], told["params"]) == ("tpl1", params)
        row = ["市财政局", "caiwen", SECRET, "tpl1", "13800000000", params, "SIGN", ""]
        assert told["mac"] == sms_mas.mac(row)
        assert "secretKey" not in told
        words = mas(
            peer.address,
            templates={"*": "【财问】工单{number}（{severity}）待处理{x}"},
            mode="content",
            base64_body=False,
            repeats_key=True,
        )
        await words.send(PHONE)
        told = peer.taken[1].json
        assert told["content"] == "【财问】工单FS20261120-0001（重大）待处理{x}"
        row = ["市财政局", "caiwen", SECRET, "13800000000", told["content"], "SIGN", ""]
        assert (told["mac"], told["secretKey"]) == (sms_mas.mac(row), SECRET)
        await notifier.close()
        await words.close()


async def test_the_governments_dingtalk_gets_signed_notices_under_one_token() -> None:
    async with http_peer(answers=[TOKEN, TAKEN, TAKEN]) as peer:
        notifier = gov(peer.address)
        await notifier.send(ACCOUNT)
        await notifier.send(replace(ACCOUNT, key="k2"))
        paths = [taken.path for taken in peer.taken]
        assert paths == ["/gettoken.json"] + ["/message/workNotification"] * 2
        for taken in peer.taken:
            values = dict(parse_qsl(taken.body.decode()))
            text = dingtalk_gov.to_sign(
                "POST",
                taken.headers["X-Hmac-Auth-Timestamp"],
                taken.headers["X-Hmac-Auth-Nonce"],
                taken.path,
                values,
            )
            expected = dingtalk_gov.signature(SECRET, text)
            assert taken.headers["X-Hmac-Auth-Signature"] == expected
            assert taken.headers["X-Hmac-Auth-Timestamp"] == "2026-11-20T10:00:00.000+08:00"
            assert taken.headers["apiKey"] == "AK"
        assert values["receiverIds"] == "10021"
        assert (values["access_token"], values["bizMsgId"]) == ("t-1", "k2")
        assert NOTICE.title in json.loads(values["msg"])["text"]["content"]
        await notifier.close()


async def test_a_token_that_ended_early_is_fetched_once_more() -> None:
    refused = {"success": False, "errorCode": "token"}
    async with http_peer(answers=[TOKEN, TAKEN, refused, TOKEN, TAKEN]) as peer:
        notifier = gov(peer.address)
        await notifier.send(ACCOUNT)
        await notifier.send(ACCOUNT)
        assert [taken.path for taken in peer.taken].count("/gettoken.json") == 2
        peer.always = refused
        with pytest.raises((PermanentError, Misconfigured)):
            await notifier.send(ACCOUNT)
        await notifier.close()


@pytest.mark.parametrize(
    ("make", "answer", "kind"),
    [
        (aliyun, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, Held),
        (aliyun, {"Code": "SignatureDoesNotMatch"}, Misconfigured),
        (aliyun, {"Code": "isv.SMS_TEMPLATE_ILLEGAL"}, Misconfigured),
        (aliyun, {"Code": "isp.SYSTEM_ERROR"}, TransientError),
        (aliyun, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, PermanentError),
        (aliyun, {"Code": SECRET * 9}, PermanentError),
        (aliyun, {}, TransientError),
        (aliyun, (403, {"Code": "InvalidAccessKeyId"}), Misconfigured),
        (aliyun, 5.0, PermanentError),
        (mas, {"success": False, "rspcod": "IllegalMac"}, Misconfigured),
        (mas, {"success": False, "rspcod": "InvalidMessage"}, PermanentError),
        (mas, {"success": False}, TransientError),
        (mas, [], TransientError),
        (mas, 5.0, PermanentError),
        (gov, {"success": False}, Misconfigured),
        (gov, {"success": True, "content": {"data": {}}}, Misconfigured),
        (gov, {"content": 1}, TransientError),
        (gov, b"<html>", TransientError),
        (gov, (401, {}), Misconfigured),
    ],
)
async def test_refusals_are_told_apart_and_nothing_secret_is_said(
    make: Callable[[str], Notifier], answer: Any, kind: type[Exception]
) -> None:
    async with http_peer(answers=[answer]) as peer:
        notifier = make(peer.address)
        with pytest.raises((TransientError, PermanentError)) as caught:
            await notifier.send(ACCOUNT if make is gov else PHONE)
        assert type(caught.value) is kind
        said = repr(caught.value) + repr(caught.value.__cause__) + repr(notifier)
        assert SECRET not in said
        await notifier.close()


@pytest.mark.parametrize("make", [aliyun, mas, gov])
async def test_nobody_to_send_to_is_refused(make: Callable[[str], Notifier]) -> None:
    async with http_peer() as peer:
        notifier = make(peer.address)
        with pytest.raises(PermanentError):
            await notifier.send(replace(NOTICE, recipient=""))
        assert peer.taken == []
        await notifier.close()
