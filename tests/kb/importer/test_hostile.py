"""Files that are not what they seem, and files that want to do harm."""

import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import olefile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.errors import ImportRefused, RefusalReason
from kb.importer import ImportLimits, IsolatedImporter, import_batch, import_file, import_isolated
from kb.importer.limits import MIB
from kb.importer.reading import read_bytes
from kb.sections import Guide, WarningCode
from tests.kb.importer.pictures import png
from tests.kb.importer.test_text_formats import zipped
from tests.kb.importer.trees import headings, read
from tests.kb.importer.word import WordFile, para, picture

LIMITS = ImportLimits()
_BIFF_OPENS = b"\x09\x08\x10\0\0\x06\x05\0" + bytes(12)  # [MS-XLS] 2.4.21 BOF
_BIFF_LOCKED = b"\x2f\0\x06\0" + bytes(6)  # 2.4.117 FilePass


def reason(data: bytes, name: str = "手册.docx", limits: ImportLimits = LIMITS) -> RefusalReason:
    """Why these bytes are refused."""
    with pytest.raises(ImportRefused) as refused:
        read_bytes(data, name, limits)
    return refused.value.reason


def ole(*streams: str, head: bytes = b"") -> bytes:
    """A compound file with these streams, each of one sector."""
    count = len(streams)
    sector = 512
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *([0xFFFFFFFE] * count)]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    header = bytearray(sector)
    header[:8] = olefile.MAGIC
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIIII", header, 40, 0, 1, 1, 0, 64, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", header, 76, 0, *([0xFFFFFFFF] * 108))
    entries = [
        _entry("Root Entry", 5, child=1 if streams else 0xFFFFFFFF, start=0xFFFFFFFE, size=0)
    ]
    for at, stream in enumerate(streams):
        right = at + 2 if at + 1 < count else 0xFFFFFFFF
        entries.append(_entry(stream, 2, child=0xFFFFFFFF, start=at + 2, size=4096, right=right))
    entries += [bytes(128)] * (4 - len(entries))
    body = b"".join(head.ljust(sector, b"\0") for _ in streams)
    return bytes(header) + struct.pack("<128I", *fat) + b"".join(entries[:4]) + body


def _entry(
    name: str, kind: int, *, child: int, start: int, size: int, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le")
    entry = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2, kind, 1)
    entry += struct.pack("<III", 0xFFFFFFFF, right, child) + bytes(36)
    return entry + struct.pack("<IQ", start, size)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"", "手册.docx", RefusalReason.EMPTY),
        (b"\x05admin" + bytes(156), "~$手册.docx", RefusalReason.LOCK_FILE),
        (b"\x05admin" + bytes(156), "x3_改名.docx", RefusalReason.LOCK_FILE),
        (b"\x62\x14\x23\x65" + bytes(900), "手册.pptx", RefusalReason.DRM),
        (bytes(14) + b"E-SafeNet" + bytes(900), "手册.pptx", RefusalReason.DRM),
        (b"%TSD-Header-###%" + bytes(100), "手册.docx", RefusalReason.DRM),
        (ole("EncryptedPackage"), "手册.docx", RefusalReason.PASSWORD),
        (ole("WordDocument"), "手册.docx", RefusalReason.LEGACY_FORMAT),
        (ole("WordDocument", head=bytes(10) + b"\x00\x01"), "手册.doc", RefusalReason.PASSWORD),
        (ole("Workbook"), "表.xlsx", RefusalReason.NO_TEXT),
        (ole("PowerPoint Document"), "课件.ppt", RefusalReason.LEGACY_FORMAT),
        (ole("Workbook", head=_BIFF_OPENS + _BIFF_LOCKED), "表.xls", RefusalReason.PASSWORD),
        (ole("PowerPoint Document", "Current User",
             head=bytes(12) + b"\xdf\xc4\xd1\xf3"), "课件.ppt", RefusalReason.PASSWORD),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "手册.odt",
         RefusalReason.LEGACY_FORMAT),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.graphics"}), "图.odg",
         RefusalReason.UNSUPPORTED),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "表.ods",
         RefusalReason.CORRUPT),
        (ole("Other"), "手册.docx", RefusalReason.UNSUPPORTED),
        (olefile.MAGIC + b"\0" * 30, "手册.doc", RefusalReason.CORRUPT),
        (b"{\\rtf1 hello}", "手册.doc", RefusalReason.LEGACY_FORMAT),
        (b"MZ\x90\0" + bytes(100), "手册.docx", RefusalReason.UNSUPPORTED),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "截图.docx", RefusalReason.UNSUPPORTED),
        (b"Rar!\x1a\x07\x00", "手册.zip", RefusalReason.UNSUPPORTED),
        (b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><x/>', "手册.doc",
         RefusalReason.LEGACY_FORMAT),
        (b"abc\0def" * 50, "手册.txt", RefusalReason.UNSUPPORTED),
        (b"PK\x03\x04 and then nothing", "手册.docx", RefusalReason.CORRUPT),
        (b"%PDF-1.7 and then nothing", "手册.pdf", RefusalReason.CORRUPT),
        (zipped({"OFD.xml": "<x/>"}), "公文.ofd", RefusalReason.OFD),
        (zipped({"xl/workbook.bin": b"x"}), "表.xlsb", RefusalReason.CORRUPT),
        (zipped({"xl/workbook.xml": "<x/>"}), "表.xlsx", RefusalReason.CORRUPT),
        (zipped({"ppt/presentation.xml": "<x/>"}), "课件.pptx", RefusalReason.CORRUPT),
        (zipped({"word/document.xml": "<broken"}), "手册.docx", RefusalReason.CORRUPT),
        (WordFile().build(), "手册.docx", RefusalReason.NO_TEXT),
        (WordFile().image("r1", png()).add(para(picture("r1"))).build(), "手册.docx",
         RefusalReason.NO_TEXT),
    ],
)  # fmt: skip
def test_every_odd_file_is_refused_for_its_own_reason(
    data: bytes, name: str, expected: RefusalReason
) -> None:
    assert reason(data, name) is expected


def test_content_decides_not_the_extension() -> None:
    file = WordFile().add(para("一、甲", style="1"), para("正文一句话。")).build()
    assert headings(read(file, "手册.pdf")) == ["一、甲"]
    page = "<html><body><h2>登录</h2><p>正文。</p></body></html>".encode()
    assert headings(read(page, "表.xls")) == ["登录"]  # how many systems export to Excel


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]>',
    ],
)
@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml", "xl/workbook.xml"])
def test_xml_that_declares_entities_is_refused(declaration: str, part: str) -> None:
    file = WordFile().add(para("正文。"))
    members = {name: data for name, data in file._parts().items() if part.startswith("word")}
    members[part] = f'<?xml version="1.0"?>{declaration}<x>&a;</x>'
    assert reason(zipped(members)) is RefusalReason.EXTERNAL_ENTITY


def test_entities_in_utf_16_do_not_slip_through() -> None:
    xml = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'
    members = {"word/document.xml": xml.encode("utf-16")}
    assert reason(zipped(members)) is RefusalReason.EXTERNAL_ENTITY


def packed(name: str, data: bytes) -> bytes:
    """A zip with one deflated member beside a document."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<x/>")
        archive.writestr(name, data)
    return buffer.getvalue()


def test_bombs_are_refused_by_ratio_total_count_and_member() -> None:
    assert reason(packed("word/media/a.png", bytes(30 * MIB))) is RefusalReason.ZIP_BOMB
    small = replace(LIMITS, unpacked_bytes=1000)
    assert reason(packed("a.bin", bytes(2000)), limits=small) is RefusalReason.ZIP_BOMB
    few = replace(LIMITS, members=1)
    assert reason(packed("a.bin", b"x"), limits=few) is RefusalReason.ZIP_BOMB
    tiny = replace(LIMITS, member_bytes=100)
    assert reason(packed("a.bin", bytes(2000)), limits=tiny) is RefusalReason.ZIP_BOMB


def test_a_directory_that_lies_about_sizes_is_caught_while_reading() -> None:
    data = bytearray(zipped({"word/document.xml": b"<a>" + bytes(5000)}))
    for at in (data.find(b"PK\x01\x02") + 24, data.find(b"PK\x03\x04") + 22):
        struct.pack_into("<I", data, at, 10)
    assert reason(bytes(data)) in {RefusalReason.ZIP_BOMB, RefusalReason.CORRUPT}


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "C:\\x.md", "a/../../x.md"])
def test_paths_that_climb_out_are_refused(name: str) -> None:
    assert reason(zipped({name: "# x\n正文。"}), "手册.zip") is RefusalReason.UNSAFE_PATH


def test_an_encrypted_zip_has_a_password() -> None:
    data = bytearray(zipped({"a.md": "# x\n正文。"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    assert reason(bytes(data), "手册.zip") is RefusalReason.PASSWORD


def test_pictures_that_claim_too_many_pixels_are_left_out() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    bomb += struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 0) + b"IEND\xae\x42\x60\x82"
    file = WordFile().image("r1", bomb).add(para("正文。"), para(picture("r1")))
    guide = read(file.build(), "手册.docx")
    assert not guide.images
    assert [each.code for each in guide.warnings] == [WarningCode.IMAGE_TOO_LARGE]


def test_limits_on_pictures_rows_and_characters() -> None:
    file = WordFile().image("r1", png(1)).image("r2", png(2))
    file.add(para("正文。"), para(picture("r1")), para(picture("r2")))
    assert reason(file.build(), limits=replace(LIMITS, images=1)) is RefusalReason.TOO_LARGE
    assert reason(file.build(), limits=replace(LIMITS, characters=2)) is RefusalReason.TOO_LARGE
    left_out = read(file.build(), "手册.docx", replace(LIMITS, image_bytes=10))
    assert {each.code for each in left_out.warnings} == {WarningCode.IMAGE_TOO_LARGE}
    rows = "问题,答案\n" + "问,答\n" * 5
    assert reason(rows.encode(), "问答.csv", replace(LIMITS, table_rows=3)) is (
        RefusalReason.TOO_LARGE
    )


def test_a_file_beyond_the_size_limit_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "手册.docx"
    path.write_bytes(bytes(2000))
    with pytest.raises(ImportRefused) as refused:
        import_file(path, limits=replace(LIMITS, file_bytes=1000))
    assert refused.value.reason is RefusalReason.TOO_LARGE


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    nested = para("正文。")
    for _ in range(200):
        nested = f"<w:sdt><w:sdtContent>{nested}</w:sdtContent></w:sdt>"
    file = WordFile().add(para("外面的一句话。"), nested)
    assert reason_or_guide(file.build(), "手册.docx")
    page = "<div>" * 5000 + "正文" + "</div>" * 5000
    assert reason_or_guide(f"<html><h2>甲</h2><p>外面。</p>{page}".encode(), "页.html")
    assert reason_or_guide(("> " * 3000 + "引文").encode(), "指南.md")


def reason_or_guide(data: bytes, name: str) -> object:
    """Whatever comes out, as long as something does."""
    try:
        return read_bytes(data, name, LIMITS)
    except ImportRefused as refused:
        return refused


NAMES = [
    "手册.docx",
    "手册.pdf",
    "指南.md",
    "页.html",
    "问答.csv",
    "手册.zip",
    "表.xlsx",
    "课件.pptx",
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=400), st.sampled_from(NAMES))
def test_noise_is_refused_or_read_never_fatal(noise: bytes, name: str) -> None:
    assert reason_or_guide(noise, name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_damaged_document_is_refused_or_read_never_fatal(data: st.DataObject) -> None:
    whole = bytearray(
        WordFile()
        .image("r1", png())
        .add(para("一、甲", style="1"), para("正文", picture("r1")))
        .build()
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    assert reason_or_guide(bytes(whole), "手册.docx")


@pytest.fixture(scope="module")
def importer() -> Iterator[IsolatedImporter]:
    """One parser process for the tests that do not kill it."""
    with IsolatedImporter(replace(LIMITS, seconds=60)) as running:
        yield running


def write(folder: Path, name: str, data: bytes) -> Path:
    """A file on disk."""
    path = folder / name
    path.write_bytes(data)
    return path


def test_the_isolated_result_is_the_same(importer: IsolatedImporter, tmp_path: Path) -> None:
    file = (
        WordFile().image("r1", png(7)).add(para("一、甲", style="1"), para("正文。", picture("r1")))
    )
    path = write(tmp_path, "手册.docx", file.build())
    assert importer.read(path) == import_file(path)
    table = write(tmp_path, "问答.csv", "问题,答案\n问,答\n".encode())
    assert importer.read(table, name="改名.csv") == import_file(table, name="改名.csv")


def test_isolated_refusals_carry_reason_and_detail(
    importer: IsolatedImporter, tmp_path: Path
) -> None:
    path = write(tmp_path, "手册.pptx", b"\x62\x14\x23\x65" + bytes(900))
    with pytest.raises(ImportRefused) as refused:
        importer.read(path)
    assert refused.value.reason is RefusalReason.DRM
    assert "E-SafeNet" in refused.value.detail


def test_a_batch_goes_on_after_a_refusal(tmp_path: Path) -> None:
    good = WordFile().add(para("一、甲", style="1"), para("正文。")).build()
    paths = [write(tmp_path, "a.docx", good), write(tmp_path, "~$b.docx", b"\x01x" + bytes(160)),
             write(tmp_path, "c.docx", b"MZ"), write(tmp_path, "d.docx", good)]  # fmt: skip
    outcomes = list(import_batch(paths))
    assert [each.path for each in outcomes] == paths
    assert [each.refusal and each.refusal.reason for each in outcomes] == [
        None, RefusalReason.LOCK_FILE, RefusalReason.UNSUPPORTED, None,
    ]  # fmt: skip
    assert isinstance(outcomes[3].result, Guide)


def test_memory_is_bounded_and_the_next_file_is_read(tmp_path: Path) -> None:
    stored = BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("word/document.xml", b"<x>" + b"y" * (190 * MIB))
    greedy = write(tmp_path, "大.docx", stored.getvalue())
    small = write(tmp_path, "小.md", "# 甲\n正文。\n".encode())
    limits = replace(LIMITS, file_bytes=400 * MIB, memory_bytes=400 * MIB)
    with IsolatedImporter(limits) as bounded:
        with pytest.raises(ImportRefused) as refused:
            bounded.read(greedy)
        assert refused.value.reason in {RefusalReason.OUT_OF_MEMORY, RefusalReason.CRASHED}
        assert isinstance(bounded.read(small), Guide)


def test_time_is_bounded_and_the_next_file_is_read(tmp_path: Path) -> None:
    slow = write(tmp_path, "慢.md", ("# 甲\n" + "正文。\n\n" * 400_000).encode())
    small = write(tmp_path, "小.md", "# 甲\n正文。\n".encode())
    with IsolatedImporter(replace(LIMITS, seconds=2)) as bounded:
        assert isinstance(bounded.read(small), Guide)
        with pytest.raises(ImportRefused) as refused:
            bounded.read(slow)
        assert refused.value.reason is RefusalReason.TIMEOUT
        assert isinstance(bounded.read(small), Guide)


def test_a_killed_parser_is_replaced(tmp_path: Path) -> None:
    small = write(tmp_path, "小.md", "# 甲\n正文。\n".encode())
    with IsolatedImporter(LIMITS) as importer:
        importer.read(small)
        process = importer._worker.process
        assert process is not None
        process.kill()
        process.wait()
        assert isinstance(importer.read(small), Guide)


def test_one_shot_import(tmp_path: Path) -> None:
    assert isinstance(import_isolated(write(tmp_path, "小.md", "# 甲\n正文。\n".encode())), Guide)


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.socket().connect(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open({path!r}, 'w')",
        "import os; os.remove({path!r})",
    ],
)
def test_the_parser_process_can_do_no_harm(tmp_path: Path, deed: str) -> None:
    path = str(write(tmp_path, "x", b"x"))
    program = (
        "import sys\nfrom kb.confinement import refuse_side_effects\n"
        "sys.addaudithook(refuse_side_effects)\n"
        f"try:\n    exec({deed.format(path=path)!r})\n"
        "except PermissionError:\n    sys.exit(7)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, check=False)
    assert done.returncode == 7
    assert Path(path).read_bytes() == b"x"
