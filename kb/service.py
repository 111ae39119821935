"""The knowledge base's verbs for the rest of the product, gathered in one place.

Each takes the caller's session and never commits.
"""

from kb.answers import answer_card, indexed_article, indexed_text, load_corpus, valid_on
from kb.faq_store import StoredFaq, store_faq
from kb.guide_store import (
    StoredAs,
    StoredGuide,
    publish_version,
    store_guide,
    withdraw_version,
)
from kb.media import extension, media_path

__all__ = [
    "StoredAs",
    "StoredFaq",
    "StoredGuide",
    "answer_card",
    "extension",
    "indexed_article",
    "indexed_text",
    "load_corpus",
    "media_path",
    "publish_version",
    "store_faq",
    "store_guide",
    "valid_on",
    "withdraw_version",
]
