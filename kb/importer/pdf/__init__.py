"""PDF files: lines put back into paragraphs, pictures and tables into their places."""

from kb.importer.pdf.reader import read_pdf

__all__ = ["read_pdf"]
