"""Word documents: what the XML says, read into a stream of elements."""

from kb.importer.docx.reader import read_docx

__all__ = ["read_docx"]
