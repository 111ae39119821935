"""PDF files: lines put back into paragraphs, pictures and tables into their places."""

from kb.importer.pdf.reader import open_pdf, read_pdf
from kb.importer.pdf.scans import render_page, scanned_pages

__all__ = ["open_pdf", "read_pdf", "render_page", "scanned_pages"]
