"""Old office formats: read by libraries where one can, else by programs that may be there."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Pillow

from kb.errors import ImportRefused, RefusalReason
from kb.importer import ImportLimits, IsolatedImporter, confined, import_batch
from kb.importer.aid import without_margins
from kb.importer.converter import TARGETS, Converter, Programs, find_programs
from kb.sections import FaqTable, Guide, Image, WarningCode
from tests.kb.importer.pictures import emf_without_bitmap, png
from tests.kb.importer.test_hostile import ole
from tests.kb.importer.trees import GUIDES, read, read_table, structure, tree
from tests.kb.importer.word import WordFile, para, picture

LEGACY = Path(__file__).parent / "legacy"
LIMITS = ImportLimits(convert_seconds=60)
#: What a stand-in for LibreOffice is told: the last but one argument of ours is the folder.
OFFICE = """#!/bin/sh
while [ $# -gt 1 ]; do case "$1" in --outdir) out=$2;; --convert-to) kind=$2;; esac; shift; done
"""


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """A file that no library reads."""
    path = tmp_path / "手册.doc"
    path.write_bytes(ole("WordDocument"))
    return path


def program(folder: Path, name: str, script: str) -> str:
    """A program of that name that does what the script says; the path to look for it on."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    return str(path.parent)


@contextmanager
def refused(reason: RefusalReason) -> Iterator[None]:
    with pytest.raises(ImportRefused) as found:
        yield
    assert found.value.reason is reason


def docx(folder: Path) -> Path:
    path = folder / "ready.docx"
    path.write_bytes(WordFile().add(para("一、甲", style="1"), para("正文。")).build())
    return path


def test_what_a_converter_makes_is_read_and_said(tmp_path: Path, legacy: Path) -> None:
    ready = docx(tmp_path)
    search = program(tmp_path, "soffice", OFFICE + f'cp "{ready}" "$out/source.$kind"\n')
    with IsolatedImporter(LIMITS, search) as importer:
        guide = importer.read(legacy, name="支付手册.doc")
    assert isinstance(guide, Guide)
    assert guide.title == "支付手册"
    assert tree(guide) == ["# 一、甲", "  正文。"]
    notice = guide.warnings[0]
    assert (notice.code, notice.detail) == (WarningCode.CONVERTED, "doc, LibreOffice")


def test_without_a_program_the_refusal_says_so_and_the_batch_goes_on(
    tmp_path: Path, legacy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcomes = list(import_batch([legacy, docx(tmp_path)]))
    assert outcomes[0].refusal is not None
    assert outcomes[0].refusal.reason is RefusalReason.NO_CONVERTER
    assert isinstance(outcomes[1].result, Guide)


@pytest.mark.parametrize("script", ["exit 0\n", "exit 9\n", ': > "$out/source.$kind"\n'])
def test_a_converter_that_makes_nothing_has_failed(
    tmp_path: Path, legacy: Path, script: str
) -> None:
    search = program(tmp_path, "soffice", OFFICE + script)
    with (
        IsolatedImporter(LIMITS, search) as importer,
        refused(RefusalReason.CONVERSION_FAILED),
    ):
        importer.read(legacy)


def test_a_converter_that_fills_the_disk_is_stopped(tmp_path: Path, legacy: Path) -> None:
    fill = 'exec head -c 900000 /dev/zero > "$out/source.$kind"\n'
    search = program(tmp_path, "soffice", OFFICE + fill)
    limits = replace(LIMITS, file_bytes=100_000, member_bytes=200_000)
    with IsolatedImporter(limits, search) as importer, refused(RefusalReason.TOO_LARGE):
        importer.read(legacy)


def test_a_converter_ends_with_its_time(tmp_path: Path, legacy: Path) -> None:
    search = program(tmp_path, "soffice", OFFICE + "exec sleep 300\n")
    with (
        IsolatedImporter(replace(LIMITS, convert_seconds=1), search) as importer,
        refused(RefusalReason.TIMEOUT),
    ):
        importer.read(legacy)


def test_an_interrupt_ends_the_converter_and_what_it_started(tmp_path: Path, legacy: Path) -> None:
    mark = tmp_path / "child"
    search = program(tmp_path, "soffice", OFFICE + f'sleep 300 & echo $! > "{mark}"\nwait\n')
    with IsolatedImporter(LIMITS, search) as importer:
        reading = threading.Thread(target=_read_refused, args=(importer, legacy))
        reading.start()
        deadline = time.monotonic() + LIMITS.convert_seconds
        while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        importer.interrupt()
        reading.join(30)
        assert not reading.is_alive()
    assert _ends(int(mark.read_text()))


def test_an_interrupt_while_the_converter_starts_is_not_lost(tmp_path: Path, legacy: Path) -> None:
    search = program(tmp_path, "soffice", OFFICE + "exec sleep 300\n")
    interrupted = threading.Event()
    converter = Converter(LIMITS, search, interrupted)
    interrupted.set()
    with refused(RefusalReason.CONVERSION_FAILED), converter.converted(legacy, "doc"):
        pass


def _read_refused(importer: IsolatedImporter, path: Path) -> None:
    with refused(RefusalReason.CONVERSION_FAILED):
        importer.read(path)


def _ends(process: int) -> bool:
    """Whether the process is gone, or dead and waiting to be buried."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_converter_learns_nothing_of_ours(
    tmp_path: Path, legacy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIWEN_SECRETS__KEYS", "do not tell")
    told = tmp_path / "told"
    script = OFFICE + f'env > "{told}"; ulimit -v >> "{told}"; ls profile/user >> "{told}"\n'
    search = program(tmp_path, "soffice", script)
    limits = replace(LIMITS, convert_memory_bytes=512 * 1024**2)
    with IsolatedImporter(limits, search) as importer, pytest.raises(ImportRefused):
        importer.read(legacy)
    said = told.read_text()
    assert "do not tell" not in said
    assert f"HOME={Path.home()}\n" not in said
    assert str(512 * 1024) in said.splitlines()
    assert "registrymodifications.xcu" in said


def test_text_alone_comes_from_antiword(tmp_path: Path, legacy: Path) -> None:
    script = "#!/bin/sh\nprintf '一、登录\\n1、打开门户。\\n[pic]\\n2、插入证书。\\n'\n"
    search = program(tmp_path, "antiword", script)
    with IsolatedImporter(LIMITS, search) as importer:
        guide = importer.read(legacy)
    assert isinstance(guide, Guide)
    assert tree(guide) == ["# 一、登录", "  <1、> 打开门户。", "  <2、> 插入证书。"]
    assert guide.warnings[0].code is WarningCode.CONVERTED_TEXT


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho '[pic]'\n", RefusalReason.NO_TEXT),
        ("#!/bin/sh\nexit 1\n", RefusalReason.CONVERSION_FAILED),
    ],
)
def test_antiword_finds_pictures_only_or_fails(
    tmp_path: Path, legacy: Path, script: str, reason: RefusalReason
) -> None:
    search = program(tmp_path, "antiword", script)
    with IsolatedImporter(LIMITS, search) as importer, refused(reason):
        importer.read(legacy)


def test_programs_are_found_where_they_are(tmp_path: Path) -> None:
    assert find_programs(str(tmp_path)) == Programs()
    search = program(tmp_path, "antiword", "#!/bin/sh\n")
    assert {kind for kind in TARGETS if find_programs(search).can(kind)} == {"doc"}
    program(tmp_path, "libreoffice", "#!/bin/sh\n")
    assert all(map(find_programs(search).can, TARGETS))


def test_a_confined_program_reaches_no_network() -> None:
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel gives no process a network of its own")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempt = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        bounds = [str(4 * 1024**3), "30", "1000"]
        command = [sys.executable, "-c", attempt]
        confined_run = [sys.executable, "-I", "-S", confined.__file__, *bounds, *command]
        assert subprocess.run(command, check=False).returncode == 0
        assert subprocess.run(confined_run, check=False, stderr=-3).returncode != 0


def test_old_workbooks_need_no_converter() -> None:
    for name in ("questions.xls", "questions.ods"):
        table = read_table((LEGACY / name).read_bytes(), name)
        assert [entry.question for entry in table.entries] == [
            "支付申请被退回怎么办？",
            "额度怎么查？",
        ]
        assert table.entries[0].module == "国库支付"
        assert "隐藏" not in {entry.group for entry in table.entries}
    merged = read_table((LEGACY / "questions.xls").read_bytes(), "表.xls")
    assert merged.entries[1].module == "国库支付"


def test_an_old_workbook_of_forms_is_a_guide_whatever_it_is_called() -> None:
    guide = read((LEGACY / "roles.xls").read_bytes(), "岗位表.xlsx")
    assert guide.title == "岗位表"
    assert tree(guide) == ["# 岗位", "  岗位|录入|审核 / 经办|✓| / 复核||✓ / 额度|12|0.5"]


def flow_chart() -> WordFile:
    file = WordFile().image("r1", emf_without_bitmap(), "流程.emf").image("r2", png(2))
    return file.add(
        para("一、流程", style="1"),
        para("流程如下："),
        para(picture("r1")),
        para("图1 办理流程"),
        para(picture("r2")),
    )


def test_a_drawing_becomes_a_picture_in_its_place(tmp_path: Path) -> None:
    drawn = Pillow.new("RGB", (400, 300), "white")
    drawn.paste("black", (100, 100, 220, 150))
    drawn.save(tmp_path / "drawn.png")
    script = f'cp "{tmp_path}/drawn.png" "$out/$(basename "$1" .emf).png"\n'
    search = program(tmp_path, "soffice", OFFICE + script)
    path = tmp_path / "手册.docx"
    path.write_bytes(flow_chart().build())
    with IsolatedImporter(LIMITS, search) as importer:
        guide = importer.read(path)
    assert isinstance(guide, Guide)
    assert not guide.warnings
    chart, shot = (each for each in guide.sections[0].blocks if isinstance(each, Image))
    assert (chart.caption, chart.name) == ("图1 办理流程", "流程.emf")
    assert (chart.width, chart.height) == (120 + 16, 50 + 16)  # without the paper around it
    assert set(guide.images) == {chart.sha256, shot.sha256}


@pytest.mark.parametrize("script", [None, "exit 1\n", "sleep 300\n"])
def test_without_a_drawing_the_guide_is_read_and_says_so(
    tmp_path: Path, script: str | None
) -> None:
    search = program(tmp_path, "soffice", OFFICE + script) if script else str(tmp_path)
    path = tmp_path / "手册.docx"
    path.write_bytes(flow_chart().build())
    with IsolatedImporter(replace(LIMITS, convert_seconds=1), search) as importer:
        guide = importer.read(path)
    assert isinstance(guide, Guide)
    assert len(guide.images) == 1
    assert [(each.code, each.where) for each in guide.warnings] == [
        (WarningCode.UNCONVERTED_IMAGE, ("一、流程",))
    ]


@pytest.mark.parametrize("data", [b"", b"no picture", png(1)[:60]])
def test_a_broken_drawing_stays_what_it_is(data: bytes) -> None:
    assert without_margins(data) == data


def test_an_empty_drawing_keeps_its_paper() -> None:
    empty = BytesIO()
    Pillow.new("RGB", (60, 40), "white").save(empty, "PNG")
    assert without_margins(empty.getvalue()) == empty.getvalue()


@pytest.mark.skipif(shutil.which("antiword") is None, reason="antiword is not installed")
def test_the_real_antiword(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "antiword").symlink_to(str(shutil.which("antiword")))
    with IsolatedImporter(LIMITS, str(tmp_path / "bin")) as importer:
        guide = importer.read(LEGACY / "login.doc")
    assert isinstance(guide, Guide)
    assert [section.heading for section in guide.sections] == ["一、登录", "二、退出"]


office = pytest.mark.skipif(find_programs().office is None, reason="LibreOffice is not installed")


@office
@pytest.mark.slow
def test_the_real_libreoffice_keeps_headings_steps_and_tables() -> None:
    with IsolatedImporter(LIMITS) as importer:
        guide = importer.read(LEGACY / "login.doc")
    assert isinstance(guide, Guide)
    assert tree(guide) == [
        "# 一、登录",
        "  <1、> 打开门户。",
        "  <2、> 插入证书，输入口令。",
        "  岗位|证书 / 经办|一把",
        "# 二、退出",
        "  点右上角的退出。",
    ]


@office
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["doc", "odt"])
def test_a_sample_guide_survives_the_way_through_an_old_format(tmp_path: Path, ending: str) -> None:
    source = next(GUIDES.glob("04-*.docx"))
    old = tmp_path / f"source.{ending}"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    copy = shutil.copy(source, tmp_path / "source.docx")
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", ending, "--outdir", tmp_path, copy],
        check=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    with IsolatedImporter(LIMITS) as importer:
        converted = importer.read(old, name=f"{source.stem}.{ending}")
        original = importer.read(source)
    assert isinstance(converted, Guide)
    assert isinstance(original, Guide)
    kept = [line for line in structure(converted).splitlines() if not line.startswith("!")]
    assert (
        kept[1:]
        == [line for line in structure(original).splitlines() if not line.startswith("!")][1:]
    )
    assert not isinstance(converted, FaqTable)


@office
@pytest.mark.slow
def test_the_real_libreoffice_draws_a_flow_chart(tmp_path: Path) -> None:
    chart = (LEGACY / "flow.emf").read_bytes()
    path = tmp_path / "手册.docx"
    path.write_bytes(flow_chart().image("r1", chart, "流程.emf").build())
    with IsolatedImporter(LIMITS) as importer:
        guide = importer.read(path)
    assert isinstance(guide, Guide)
    drawn = next(each for each in guide.sections[0].blocks if isinstance(each, Image))
    assert (drawn.name, drawn.media_type) == ("流程.emf", "image/png")
    assert 150 < (drawn.width or 0) < 400  # cut out of a whole sheet of paper
    assert 200 < (drawn.height or 0) < 400
