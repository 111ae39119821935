"""The command as scripts and people use it: results on standard output, words on standard error."""

import asyncio
import csv
import io
import json
import stat
from pathlib import Path

import docx
import pytest
from typer.testing import Result

from bot.accounts import service as accounts
from bot.clock import utc_now
from store.session import Database
from tests.bot.command import CHINESE, ROW, as_process, caiwen, jsonl, lines
from tests.product import PASSWORD

pytestmark = pytest.mark.usefixtures("quiet_logs")

# --- init and staff


def test_init_prepares_a_private_workspace_and_can_be_repeated(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    first = caiwen(home, "init", "--no-sample")
    assert (first.exit_code, first.stdout) == (0, "")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "rasa.token").stat().st_mode) == 0o600
    token = (home / "rasa.token").read_text()
    again = caiwen(home, "init", "--no-sample")
    assert again.exit_code == 0
    assert (home / "rasa.token").read_text() == token
    assert "一次性密码" not in first.stderr


def add(home: Path, name: str, password: str = PASSWORD, role: str = "engineer") -> Result:
    command = ("staff", "add", name, "--role", role, "--password-stdin", "--display-name", "王工")
    return caiwen(home, *command, stdin=f"{password}\n")


async def can_log_in(home: Path, name: str, password: str) -> bool:
    database = Database(f"sqlite:///{home / 'caiwen.db'}")
    async with database.transaction() as session:
        result = await accounts.log_in(
            session,
            username=name,
            password=password,
            kind="bearer",
            user_agent="",
            now=utc_now(),
        )
    await database.dispose()
    return bool(result.token)


def test_an_account_is_added_and_its_password_never_shown(fresh: Path) -> None:
    added = add(fresh, "wang")
    assert added.exit_code == 0
    assert "wang" in added.stderr
    assert PASSWORD not in added.output
    assert PASSWORD.encode() not in (fresh / "caiwen.db").read_bytes()
    assert asyncio.run(can_log_in(fresh, "wang", PASSWORD))
    assert not asyncio.run(can_log_in(fresh, "wang", PASSWORD + "\n"))


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("two words", PASSWORD, "用户名"),
        ("", PASSWORD, "用户名"),
        ("x" * 61, PASSWORD, "用户名"),
        ("tab\there", PASSWORD, "用户名"),
        ("short", "too short", "密码"),
        ("empty", "", "密码"),
        ("long", "x" * 5_000, "密码"),
        ("chen", PASSWORD, "已经有人"),
    ],
)
def test_a_bad_account_is_refused_in_one_line(
    home: Path, name: str, password: str, said: str
) -> None:
    refused = add(home, name, password)
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stdout == ""


def test_an_unknown_role_is_a_usage_error(fresh: Path) -> None:
    assert add(fresh, "x", role="king").exit_code == 2


# --- import


def table(path: Path, header: dict[str, str], *, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.values())
        writer.writerow(ROW[column] for column in header)
    return path


def manual(path: Path) -> Path:
    document = docx.Document()
    document.add_heading("项目库操作手册", 0)
    document.add_heading("一、项目申报", 1)
    document.add_paragraph("进入【项目库】—【项目申报】，点击【新增】，填写项目名称和金额。")
    document.add_heading("二、项目终止", 1)
    document.add_paragraph("勾选项目后点击【终止】，填写终止原因并送审。")
    document.save(str(path))
    return path


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ({name: name for name in ROW}, "utf-8"),
        ({name: name for name in ROW}, "utf-8-sig"),
        (CHINESE, "utf-8"),
        (CHINESE, "gbk"),
    ],
    ids=["english", "bom", "chinese", "gbk"],
)
def test_a_faq_table_is_imported_once(
    fresh: Path, tmp_path: Path, header: dict[str, str], encoding: str
) -> None:
    path = table(tmp_path / "报销.csv", header, encoding=encoding)
    (record,) = lines(caiwen(fresh, "kb", "import", path, "--publish", "--json").stdout)
    assert record["status"] == "imported"
    assert (record["file"], record["kind"]) == ("报销.csv", "faq")
    assert (record["entries"], record["similar"]) == (1, 3)
    assert record["warnings"] == []
    (again,) = lines(caiwen(fresh, "kb", "import", path, "--publish", "--json").stdout)
    assert again["status"] == "unchanged"


def test_a_batch_goes_on_past_files_that_are_refused(fresh: Path, tmp_path: Path) -> None:
    folder = tmp_path / "资料"
    folder.mkdir()
    manual(folder / "项目库操作手册.docx")
    table(folder / "报销.csv", CHINESE)
    (folder / "空.docx").touch()
    (folder / "~$项目库操作手册.docx").write_bytes(b"\x00" * 162)
    (folder / "程序.exe").write_bytes(b"MZ" + b"\x00" * 500)
    (folder / ".hidden.docx").write_bytes(b"x")
    result = caiwen(fresh, "kb", "import", folder, "--publish", "--json")
    assert result.exit_code == 0
    records = {record["file"]: record for record in lines(result.stdout)}
    assert set(records) == {
        "项目库操作手册.docx",
        "报销.csv",
        "空.docx",
        "~$项目库操作手册.docx",
        "程序.exe",
    }
    guide = records["项目库操作手册.docx"]
    assert (guide["status"], guide["kind"], guide["title"]) == (
        "imported",
        "guide",
        "项目库操作手册",
    )
    assert guide["sections"] >= 2
    assert guide["passages"] >= 2
    for record in records.values():
        keys = {"status", "sections", "passages", "images", "tables", "warnings"}
        assert set(record) >= keys
    reasons = {name: r.get("reason") for name, r in records.items() if r["status"] == "refused"}
    assert reasons == {
        "空.docx": "empty",
        "~$项目库操作手册.docx": "lock_file",
        "程序.exe": "unsupported",
    }
    assert all(records[name]["detail"] for name in reasons)


def test_a_missing_path_imports_nothing(fresh: Path, tmp_path: Path) -> None:
    path = table(tmp_path / "报销.csv", CHINESE)
    missing = caiwen(fresh, "kb", "import", path, tmp_path / "没有.docx", "--json")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "没有.docx" in missing.stderr
    (record,) = lines(caiwen(fresh, "kb", "import", path, "--json").stdout)
    assert record["status"] == "imported"


def test_only_refused_files_fail_the_command(fresh: Path, tmp_path: Path) -> None:
    bad = tmp_path / "空.docx"
    bad.touch()
    refused = caiwen(fresh, "kb", "import", bad)
    assert refused.exit_code == 1
    assert "空.docx" in refused.output


def test_what_is_imported_and_trained_is_found(home: Path, tmp_path: Path) -> None:
    path = table(tmp_path / "报销.csv", CHINESE)
    assert caiwen(home, "kb", "import", path, "--publish").exit_code == 0
    query = jsonl({"id": 1, "q": "差旅费报销标准在哪里看"})
    before = lines(caiwen(home, "kb", "search", "--jsonl", stdin=query).stdout)
    assert "BX77" not in [found["ref"] for found in before[0]["results"]]
    trained = caiwen(home, "train", "--kb")
    assert (trained.exit_code, trained.stdout) == (0, "")
    (after,) = lines(caiwen(home, "kb", "search", "--jsonl", stdin=query).stdout)
    assert after["band"] == "answer"
    first = after["results"][0]
    assert (first["ref"], first["title"]) == ("BX77", ROW["question"])
    assert ROW["answer"] in first["text"]


def test_training_nothing_says_so(fresh: Path) -> None:
    empty = caiwen(fresh, "train", "--kb")
    assert empty.exit_code == 0
    assert "没有" in empty.stderr


# --- chat, doctor, settings


def test_chat_answers_in_the_terminal(home: Path) -> None:
    said = caiwen(home, "chat", stdin="公务卡怎么还款\n\n")
    assert said.exit_code == 0
    assert "先核对单据状态" in said.stdout
    assert "常见问题" in said.stdout


def test_doctor_is_content_with_a_prepared_workspace(home: Path) -> None:
    report = caiwen(home, "doctor")
    assert report.exit_code == 0, report.stderr
    assert "[正常] 检索索引" in report.stderr


def test_doctor_names_what_is_missing_and_what_to_do(fresh: Path) -> None:
    report = caiwen(fresh, "doctor")
    assert report.exit_code == 1
    assert "staff add" in report.stderr
    assert "train --kb" in report.stderr


def test_doctor_survives_a_database_that_is_not_there(fresh: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    report = caiwen(fresh, "doctor", CAIWEN_DATABASE_URL=url)
    assert report.exit_code == 1
    assert "CAIWEN_DATABASE_URL" in report.stderr


@pytest.mark.parametrize(
    "arguments", [("staff", "add", "x", "--role", "engineer", "--password-stdin"), ("kb", "import")]
)
def test_an_unprepared_workspace_is_told_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    if arguments[0] == "kb":
        arguments = (*arguments, str(table(tmp_path / "报销.csv", CHINESE)))
    done = as_process(tmp_path / "nowhere", *arguments, stdin=f"{PASSWORD}\n".encode())
    assert done.returncode == 1
    assert "Traceback" not in done.stderr.decode()


def test_bad_settings_end_the_command_with_a_clear_line(tmp_path: Path) -> None:
    done = as_process(tmp_path / "h", "doctor", CAIWEN_PORT="99999", CAIWEN_NLU__DEADLINE_S="soon")
    assert done.returncode == 2
    said = done.stderr.decode().splitlines()
    assert [line.split(":")[0] for line in said] == ["CAIWEN_PORT", "CAIWEN_NLU__DEADLINE_S"]
    assert done.stdout == b""
    assert not (tmp_path / "h").exists()


def test_bytes_that_are_no_text_end_nothing(home: Path) -> None:
    stdin = b'{"id": 1, "q": "\xff\xfe"}\n\xff\n' + jsonl({"id": 3, "q": "公务卡怎么还款"}).encode()
    done = as_process(home, "kb", "search", "--jsonl", stdin=stdin, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0, done.stderr.decode()
    answers = [json.loads(line) for line in io.StringIO(done.stdout.decode())]
    assert answers[-1]["id"] == 3
    assert answers[-1]["band"] == "answer"
