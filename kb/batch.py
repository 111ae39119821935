"""Search results as the plain dictionaries of `caiwen kb search --jsonl`.

A contract with programs outside: names and nesting never change without a new release.
"""

from typing import Any

from kb.retriever import Candidate, Retriever, SearchResult

LIMIT = 10


def search_row(retriever: Retriever, row: dict[str, Any]) -> dict[str, Any]:
    """The answer to one input row {"id", "q"}; raises ValueError for any other shape."""
    if "id" not in row or not isinstance(row.get("q"), str):
        raise ValueError('a row needs "id" and a text "q"')
    return result_row(row["id"], retriever.search(row["q"], limit=LIMIT))


def result_row(row_id: Any, result: SearchResult) -> dict[str, Any]:
    """One output row; `text` is the whole passage or answer."""
    results = [_candidate(candidate) for candidate in result.candidates[:LIMIT]]
    return {"id": row_id, "band": result.band.value, "results": results}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "answer_id": candidate.answer_id,
        "ref": candidate.ref,
        "title": candidate.title,
        "text": candidate.text,
        "source": {
            "guide": candidate.source.guide,
            "section": candidate.source.section_path,
        },
        "score": round(candidate.score, 6),
    }
