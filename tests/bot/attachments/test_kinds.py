"""A file is what its content says, and its name can hide nothing."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.attachments import errors
from bot.attachments.kinds import MAX_NAME_CHARS, Kind, kind_of, shown_name

LIMIT = 1_000_000


def picture(kind: str, size: tuple[int, int] = (30, 20)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    return buffer.getvalue()


def archive(*members: str) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for member in members:
            file.writestr(member, b"<x/>")
    return buffer.getvalue()


def refused(data: bytes, name: str = "a.png") -> type[Exception]:
    with pytest.raises(errors.AttachmentRefused) as caught:
        kind_of(data, name, max_pixels=LIMIT)
    return caught.type


@pytest.mark.parametrize(
    ("kind", "media_type", "extension"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("GIF", "image/gif", "gif"),
        ("WEBP", "image/webp", "webp"),
        ("BMP", "image/bmp", "bmp"),
    ],
)
def test_pictures_are_known_with_their_size(kind: str, media_type: str, extension: str) -> None:
    found = kind_of(picture(kind), "病毒.exe", max_pixels=LIMIT)
    assert found == Kind(media_type, extension, 30, 20)
    assert found.is_picture
    assert shown_name("病毒.exe", found) == f"病毒.exe.{extension}"


@pytest.mark.parametrize(
    ("data", "name", "extension"),
    [
        (b"%PDF-1.7\n", "x", "pdf"),
        (archive("word/document.xml"), "x.zip", "docx"),
        (archive("xl/workbook.xml"), "x.docx", "xlsx"),
        (archive("ppt/presentation.xml"), "x", "pptx"),
        ("单据号,金额\n".encode("gb18030"), "x.CSV", "csv"),
        ("日志 10:00\n".encode(), "x.log", "log"),
        (b"BM is how this text begins", "x.txt", "txt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧表.xls", "xls"),
    ],
)
def test_documents_are_known_by_content(data: bytes, name: str, extension: str) -> None:
    found = kind_of(data, name, max_pixels=LIMIT)
    assert (found.extension, found.is_picture) == (extension, False)


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"", "a.png", errors.AttachmentEmpty),
        (b"MZ\x90\x00", "a.png", errors.AttachmentUnsupported),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a.jpg", errors.AttachmentHeic),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "IMG.HEIC", errors.AttachmentHeic),
        (b"\x7fELF", "a.txt", errors.AttachmentUnsupported),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", errors.AttachmentUnsupported),
        (b" <!DOCTYPE html><script>1</script>", "a.txt", errors.AttachmentUnsupported),
        (b"<?xml version='1.0'?><svg/>", "a.log", errors.AttachmentUnsupported),
        (b"a text", "a.html", errors.AttachmentUnsupported),
        (b"a text", "a", errors.AttachmentUnsupported),
        (b"zero \0 sign", "a.txt", errors.AttachmentUnsupported),
        (archive("a.exe"), "a.docx", errors.AttachmentUnsupported),
        (archive("word/document.xml", "word/vbaProject.bin"), "a.docx", errors.AttachmentHasMacros),
        (b"PK\x03\x04" + bytes(50), "a.docx", errors.AttachmentBroken),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "a.png", errors.AttachmentBroken),
        (b"\xff\xd8\xff\xe0", "a.jpg", errors.AttachmentBroken),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le"),
            "a.xls",
            errors.AttachmentHasMacros,
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.msi", errors.AttachmentUnsupported),
        (picture("PNG", (2_000, 1_000)), "a.png", errors.AttachmentTooLarge),
    ],
)
def test_what_could_do_harm_is_refused(data: bytes, name: str, why: type[Exception]) -> None:
    assert refused(data, name) is why


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_are_judged(data: bytes, name: str) -> None:
    try:
        assert kind_of(data, name, max_pixels=LIMIT).media_type
    except errors.AttachmentRefused:
        return


PNG = Kind("image/png", "png", 1, 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("报错截图.png", "报错截图.png"),
        ("a.PNG", "a.PNG"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\李\\桌面\\图.png", "图.png"),
        ("\u202egnp.exe", "gnp.exe.png"),
        ("a\r\nX-Header: 1.png", "aX-Header 1.png"),
        ("", "file.png"),
        ("...", "file.png"),
        ("身份证11010519491231002X.png", "身份证110105________002X.png"),
        ("photo.jpeg", "photo.jpeg.png"),
    ],
)
def test_names_hide_nothing(name: str, shown: str) -> None:
    assert shown_name(name, PNG) == shown


@given(st.text(max_size=400))
def test_names_are_short_and_end_in_their_kind(name: str) -> None:
    shown = shown_name(name, PNG)
    assert shown.lower().endswith(".png")
    assert 5 <= len(shown) <= MAX_NAME_CHARS + 6
    assert not set(shown) & set('/\\:"<>|?*\r\n\0')
