"""From bytes to a guide or a question table: judges the file, then hands it to its format.

Formats are imported only when met, so that a worker that reads Word files never loads PDF code.
"""

from pathlib import Path

from kb.errors import ImportRefused, RefusalReason
from kb.importer.aid import Aid
from kb.importer.archive import Archive
from kb.importer.assembly import assemble
from kb.importer.intake import Intake
from kb.importer.limits import ImportLimits
from kb.importer.sniff import Format, is_zip, sniff
from kb.sections import FaqTable, Guide


def read_file(
    path: Path, limits: ImportLimits, name: str | None = None, aid: Aid | None = None
) -> Guide | FaqTable:
    """Read one file; `name` is what its owner calls it, where the path is a temporary one.

    `aid` is what other programs did for this file; it is told what more they could do.

    Raises:
        ImportRefused: for every file that cannot become a guide or a table of questions.
    """
    name = name or path.name
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise ImportRefused(RefusalReason.TOO_LARGE, f"{size} bytes")
    return read_bytes(path.read_bytes(), name, limits, folder=path.parent, aid=aid)


def read_bytes(
    data: bytes,
    name: str,
    limits: ImportLimits,
    *,
    folder: Path | None = None,
    aid: Aid | None = None,
) -> Guide | FaqTable:
    """The same for bytes in memory; pictures beside a Markdown file are looked for in `folder`.

    Raises:
        ImportRefused: for every file that cannot become a guide or a table of questions.
    """
    archive = Archive(data, limits) if is_zip(data) else None
    fmt = sniff(data, name=name, archive=archive)
    intake = Intake(limits, aid or Aid())
    if archive is not None:
        return _read_archive(archive, data, fmt, intake, name)
    return _read_plain(data, fmt, intake, name, folder)


def _read_archive(
    archive: Archive, data: bytes, fmt: Format, intake: Intake, name: str
) -> Guide | FaqTable:
    match fmt:
        case Format.DOCX:
            from kb.importer.docx import read_docx  # noqa: PLC0415

            return assemble(read_docx(archive, intake), intake, name=name)
        case Format.PPTX:
            from kb.importer.pptx import read_pptx  # noqa: PLC0415

            archive.check_xml()
            return assemble(read_pptx(data, intake), intake, name=name)
        case Format.XLSX:
            from kb.importer.xlsx import read_xlsx  # noqa: PLC0415

            archive.check_xml()
            return read_xlsx(data, archive, intake, name=name)
        case Format.XLSB | Format.ODS:
            from kb.importer.calamine import read_calamine  # noqa: PLC0415

            return read_calamine(data, intake, name=name, fmt=fmt.value)
        case _:
            from kb.importer.bundle import read_bundle  # noqa: PLC0415

            return read_bundle(archive, intake, name=name)


def _read_plain(
    data: bytes, fmt: Format, intake: Intake, name: str, folder: Path | None
) -> Guide | FaqTable:
    match fmt:
        case Format.PDF:
            from kb.importer.pdf import read_pdf  # noqa: PLC0415

            return assemble(read_pdf(data, intake), intake, name=name)
        case Format.XLS:
            from kb.importer.calamine import read_calamine  # noqa: PLC0415

            return read_calamine(data, intake, name=name, fmt=fmt.value)
        case Format.HTML:
            from kb.importer.html import read_html  # noqa: PLC0415

            return assemble(read_html(data, intake, folder=folder), intake, name=name)
        case Format.CSV | Format.TSV:
            from kb.importer.delimited import read_delimited  # noqa: PLC0415

            return read_delimited(data, intake, name=name)
        case Format.TEXT:
            from kb.importer.plain import read_plain  # noqa: PLC0415

            return assemble(read_plain(data, intake), intake, name=name)
        case _:
            from kb.importer.markdown import read_markdown_file  # noqa: PLC0415

            return assemble(read_markdown_file(data, intake, folder), intake, name=name)
