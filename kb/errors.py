"""Why the knowledge base says no: exceptions that carry data, never HTTP and never sentences."""

from datetime import datetime
from enum import StrEnum


class RefusalReason(StrEnum):
    """Why a file was not imported; each reason has its own phrase and its own remedy."""

    EMPTY = "empty"  # zero bytes
    LOCK_FILE = "lock_file"  # the `~$` file that Word keeps beside an open document
    PASSWORD = "password"  # noqa: S105 - a reason, not a secret
    DRM = "drm"  # an enterprise data-protection container, e.g. 亿赛通 E-SafeNet
    LEGACY_FORMAT = "legacy_format"  # binary .doc, .ppt and the like: read once converted
    NO_CONVERTER = "no_converter"  # a legacy format, and no program here that converts it
    CONVERSION_FAILED = "conversion_failed"  # the converter could make nothing of it
    OFD = "ofd"  # the fixed-layout format of official documents: read once saved as PDF
    UNSUPPORTED = "unsupported"  # a format that no importer reads
    CORRUPT = "corrupt"  # the right kind of file, but broken
    NO_TEXT = "no_text"  # pictures only, or nothing at all
    MISSING_COLUMNS = "missing_columns"  # a table without a question and an answer column
    TOO_LARGE = "too_large"  # bytes, pages, rows or pictures above the limit
    ZIP_BOMB = "zip_bomb"  # unpacks to far more than it weighs
    UNSAFE_PATH = "unsafe_path"  # a member that would be written outside its folder
    EXTERNAL_ENTITY = "external_entity"  # XML that declares entities
    TIMEOUT = "timeout"  # parsing took longer than allowed
    OUT_OF_MEMORY = "out_of_memory"  # parsing needed more memory than allowed
    CRASHED = "crashed"  # the parser failed in a way that nobody foresaw, or died


class KnowledgeError(Exception):
    """Anything the knowledge base refuses to do."""


class ImportRefused(KnowledgeError):
    """One file was not imported; `reason` says why, `detail` names what was found in it."""

    def __init__(self, reason: RefusalReason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class IndexMissing(KnowledgeError):
    """There is no search index in this workspace; `path` is where it would be."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class IndexMismatch(KnowledgeError):
    """The index on disk does not fit the settings or itself, and must be built anew."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        super().__init__(what, expected, found)
        self.what = what
        self.expected = expected
        self.found = found


class NothingPublished(KnowledgeError):
    """There is nothing to train from or to search."""


class GuideMissing(KnowledgeError):
    """No such guide, or no such version or section of it."""

    def __init__(self, guide_id: str, part: str = "") -> None:
        super().__init__(guide_id, part)
        self.guide_id = guide_id
        self.part = part


class GuideInvalid(KnowledgeError):
    """A field of a guide cannot be stored; `reason` is a code."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


class AnswerMissing(KnowledgeError):
    """No answer, or no such version of it."""

    def __init__(self, article_id: str, number: int | None = None) -> None:
        super().__init__(article_id, number)
        self.article_id = article_id
        self.number = number


class AnswerVerbRefused(KnowledgeError):
    """The answer is in a state in which this cannot be done."""

    def __init__(self, state: str, verb: str) -> None:
        super().__init__(state, verb)
        self.state = state
        self.verb = verb


class AnswerChanged(KnowledgeError):
    """Somebody was faster: the answer is no longer as the caller saw it."""

    def __init__(self, article_id: str, *, seen: int, found: int) -> None:
        super().__init__(article_id, seen, found)
        self.article_id = article_id
        self.seen = seen
        self.found = found


class AnswerLocked(KnowledgeError):
    """Somebody else is editing the answer."""

    def __init__(self, by: str, since: datetime, until: datetime) -> None:
        super().__init__(by, since, until)
        self.by = by
        self.since = since
        self.until = until


class AnswerOwnReview(KnowledgeError):
    """Nobody approves what they wrote, unless the deployment allows it."""


class AnswerInvalid(KnowledgeError):
    """A field of an answer cannot be stored; `reason` is a code."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


class CalibrationRefused(KnowledgeError):
    """Nothing was fitted: `reason` is few (too few questions) or target (no cut keeps it)."""

    def __init__(self, reason: str, *, answerable: int, unanswerable: int) -> None:
        super().__init__(reason, answerable, unanswerable)
        self.reason = reason
        self.answerable = answerable
        self.unanswerable = unanswerable


class TuningRefused(KnowledgeError):
    """No model was tuned: `reason` is exists, trained_here, unreadable or few."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class UnreadReason(StrEnum):
    """Why no text was read out of a picture; nobody waits for a picture that has one."""

    ABSENT = "absent"  # the reading library is not installed or does not load
    BROKEN = "broken"  # no picture, or a damaged one
    TOO_LARGE = "too_large"  # bytes or pixels above the limit
    TIMEOUT = "timeout"  # reading took longer than allowed
    OUT_OF_MEMORY = "out_of_memory"  # reading needed more memory than allowed
    CRASHED = "crashed"  # the reading process failed or died


class PictureUnread(KnowledgeError):
    """One picture was not read; `reason` says why, `detail` is for the log."""

    def __init__(self, reason: UnreadReason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
