"""Long screenshots are cut between lines of text."""

from itertools import pairwise

import numpy as np
import pytest

from kb.ocr import IsolatedTextReader
from tests.conftest import need


def test_cuts_go_through_no_line() -> None:
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    from kb.ocr.engine import PIECE_HEIGHT, pieces

    picture = np.full((5_000, 400, 3), 255, dtype=np.uint8)
    for top in range(20, 4_960, 60):
        picture[top : top + 40, ::2] = 0
    cut = pieces(picture)
    assert cut[0][0] == 0
    assert cut[-1][1] == 5_000
    for (_, bottom), (top, _) in pairwise(cut):
        assert bottom == top
        assert picture[top].min() == 255
    assert all(0 < bottom - top <= PIECE_HEIGHT for top, bottom in cut)


@pytest.mark.parametrize("shape", [(1_080, 1_920, 3), (1_800, 30, 3), (3_000, 1_500, 3), (1, 1, 3)])
def test_ordinary_pictures_stay_whole(shape: tuple[int, int, int]) -> None:
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    from kb.ocr.engine import pieces

    assert pieces(np.zeros(shape, dtype=np.uint8)) == [(0, shape[0])]
