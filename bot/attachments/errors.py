"""Why a picture or a file is not taken or not given: exceptions that carry data."""

from dataclasses import dataclass

from bot.errors import BotError


class AttachmentRefused(BotError):
    """A file is not taken. Its kinds say why; each has words of its own."""


class AttachmentsOff(AttachmentRefused):
    """This deployment takes no files."""


class AttachmentEmpty(AttachmentRefused):
    """No bytes, or no file at all."""


@dataclass
class AttachmentTooLarge(AttachmentRefused):
    """More bytes, or more pixels, than the limit."""

    limit: int


class AttachmentUnsupported(AttachmentRefused):
    """By its content it is none of the kinds that are taken, whatever its name says."""


class AttachmentHeic(AttachmentRefused):
    """A phone's photograph in a form that browsers do not show."""


class AttachmentBroken(AttachmentRefused):
    """The right kind of file, but damaged."""


class AttachmentHasMacros(AttachmentRefused):
    """An office document that brings programs along."""


class AttachmentInfected(AttachmentRefused):
    """The virus scanner found something."""


class AttachmentUnscanned(AttachmentRefused):
    """The virus scanner does not answer, and nothing is taken without it."""


@dataclass
class TooManyAttachments(AttachmentRefused):
    """The conversation has as many files as it may."""

    limit: int


@dataclass
class AttachmentNotFound(BotError):
    """No such file in this conversation, or none that the caller may see."""

    attachment_id: str


@dataclass
class AttachmentGone(BotError):
    """There was one; its time was over."""

    attachment_id: str
