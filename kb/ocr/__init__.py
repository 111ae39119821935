"""Text in pictures, read on this machine."""

from kb.ocr.isolation import IsolatedTextReader, OcrLimits
from kb.ocr.lines import Line, Recognition, TextReader

__all__ = ["IsolatedTextReader", "Line", "OcrLimits", "Recognition", "TextReader"]
