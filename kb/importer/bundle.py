"""A zip of Markdown or HTML guides with their pictures becomes one guide.

Each file keeps its own heading tree; a folder with a Chinese name becomes a section above its
files, other folders are only places.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kb.errors import ImportRefused, RefusalReason
from kb.importer.archive import Archive
from kb.importer.assembly import assemble
from kb.importer.characters import decode
from kb.importer.cover import clean_stem, is_generic
from kb.importer.elements import RawDocument
from kb.importer.intake import Intake
from kb.importer.linked import ArchivePictures, LinkedPictures
from kb.importer.markdown import read_markdown, split_front_matter, without_comments
from kb.sections import Guide, ImportNotice, Section, WarningCode

_TEXTS = (".md", ".markdown")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".svg", ".emf", ".wmf", ".ico")
_SILENT = ("license", "licence", ".ds_store", "thumbs.db", "summary.md", ".gitignore")
_HAN = re.compile("[\u4e00-\u9fff]")
_DIGITS = re.compile(r"(\d+)")


@dataclass(slots=True)
class _Folder:
    name: str
    sections: list[Section] = field(default_factory=list)


def read_bundle(archive: Archive, intake: Intake, *, name: str) -> Guide:
    """All texts of the archive as one guide, in natural order of their paths.

    Raises:
        ImportRefused: no_text when no file holds any.
    """
    guides = list(_guides(archive, intake))
    if not guides:
        raise ImportRefused(RefusalReason.NO_TEXT, f"{len(archive.names)} files")
    notices: list[ImportNotice] = [*intake.notices]
    for _, guide in guides:
        notices.extend(each for each in guide.warnings if each not in intake.notices)
    return Guide(
        title=clean_stem(name),
        fmt="zip",
        sections=tuple(_arrange(guides)),
        version=next((guide.version for _, guide in guides if guide.version), None),
        issued=max((guide.issued for _, guide in guides if guide.issued), default=None),
        images=dict(intake.images),
        warnings=tuple(notices),
    )


def _guides(archive: Archive, intake: Intake) -> Iterator[tuple[str, Guide]]:
    for member in sorted(archive.names, key=_natural):
        if member.lower().endswith(_TEXTS):
            if posixpath.basename(member).lower() in _SILENT:
                continue
            guide = _read_text(archive, member, intake)
            if guide is not None:
                yield member, guide
        elif not _is_silent(member):
            intake.note(WarningCode.SKIPPED_MEMBER, member)


def _read_text(archive: Archive, member: str, intake: Intake) -> Guide | None:
    text, replaced = decode(archive.read(member))
    if replaced:
        intake.note(WarningCode.REPLACED_CHARACTERS, member)
    body, meta = split_front_matter(text)
    if not without_comments(body).strip():
        code = WarningCode.COMMENTED_OUT if body.strip() else WarningCode.EMPTY_SECTION
        intake.notices.append(ImportNotice(code, member))
        return None
    pictures = LinkedPictures(ArchivePictures(archive, member), intake)
    before = len(intake.notices)
    elements = tuple(read_markdown(body, pictures))
    _locate(intake, before, member)
    document = RawDocument("md", elements, title=meta.pop("title", ""), meta=meta)
    try:
        return assemble(document, Intake(intake.limits), name=posixpath.basename(member))
    except ImportRefused as refusal:
        if refusal.reason is not RefusalReason.NO_TEXT:
            raise
        intake.notices.append(ImportNotice(WarningCode.EMPTY_SECTION, member))
        return None


def _locate(intake: Intake, start: int, member: str) -> None:
    """Says in which file of the archive a doubt arose."""
    intake.notices[start:] = [
        replace(notice, where=(member, *notice.where)) for notice in intake.notices[start:]
    ]


def _arrange(guides: Sequence[tuple[str, Guide]]) -> Iterator[Section]:
    folders: dict[str, _Folder] = {}
    for member, guide in guides:
        title = _folder_title(member)
        folder = folders.setdefault(title or member, _Folder(title))
        folder.sections.extend(_under_title(guide, member))
    for folder in folders.values():
        if folder.name:
            children = tuple(_deeper(section, 2) for section in folder.sections)
            yield Section(heading=folder.name, children=children)
        else:
            yield from (_deeper(section, 1) for section in folder.sections)


def _under_title(guide: Guide, member: str) -> tuple[Section, ...]:
    """The file's sections, under its title where that says more than they do."""
    sections = guide.sections
    if len(sections) == 1 and sections[0].heading == guide.title:
        return sections
    speaks = _HAN.search(guide.title) is not None and not is_generic(guide.title)
    if not speaks and all(section.heading for section in sections):
        return sections
    intro = [section for section in sections if not section.heading]
    return (
        Section(
            heading=guide.title if speaks else _place_name(member),
            blocks=tuple(block for section in intro for block in section.blocks),
            children=tuple(section for section in sections if section.heading),
            warnings=tuple(notice for section in intro for notice in section.warnings),
            references=tuple(each for section in intro for each in section.references),
        ),
    )


def _place_name(member: str) -> str:
    """What to call text without a heading in a file without a title."""
    stem = clean_stem(member)
    folder = posixpath.basename(posixpath.dirname(member))
    return folder if is_generic(stem) and folder else stem


def _deeper(section: Section, level: int) -> Section:
    children = tuple(_deeper(child, level + 1) for child in section.children)
    return replace(section, level=level, children=children)


def _folder_title(member: str) -> str:
    """The nearest folder whose name a reader would understand."""
    parts = [part for part in posixpath.dirname(member).split("/") if _HAN.search(part)]
    return clean_stem(f"{parts[-1]}.d") if parts else ""


def _is_silent(member: str) -> bool:
    name = posixpath.basename(member).lower()
    return name.endswith(_PICTURES) or name in _SILENT or member.startswith("__MACOSX/")


def _natural(member: str) -> tuple[object, ...]:
    """plan2 before plan10; a folder's index first."""
    folder, _, name = member.rpartition("/")
    first = name.lower() not in {"index.md", "readme.md"}
    parts = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in _DIGITS.split(name)
    )
    return (folder, first, parts)
