"""Numbers that belong together, and whether they count headings."""

from kb.importer.labels import read_label
from kb.importer.series import Member, OpenSeries, are_headings


def member(index: int, text: str, body: int = 0) -> Member:
    """A labelled line with so much text below."""
    label = read_label(text)
    assert label is not None
    return Member(index, label, emphasised=False, body_chars=body, body_elements=bool(body))


def grouped(*texts: str) -> list[list[str]]:
    """The series that these lines make, in the order of their first lines."""
    group = OpenSeries()
    for index, text in enumerate(texts):
        group.add(member(index, text))
    found = sorted(group.all(), key=lambda series: series.members[0].index)
    return [[each.label.text for each in series.members] for series in found]


def test_an_inner_list_does_not_swallow_the_outer_number() -> None:
    assert grouped("1、甲", "2、乙", "3、丙", "1、子", "2、丑", "4、丁") == [
        ["1、", "2、", "3、", "4、"],
        ["1、", "2、"],
    ]


def test_a_forgotten_number_is_forgiven_a_large_gap_is_not() -> None:
    assert grouped("1、甲", "2、乙", "4、丁") == [["1、", "2、", "4、"]]
    assert grouped("1、甲", "9、壬") == [["1、"], ["9、"]]


def test_one_always_begins_anew() -> None:
    assert grouped("1、甲", "1、乙", "2、丙") == [["1、"], ["1、", "2、"]]


def test_very_many_restarts_stay_cheap_and_complete() -> None:
    texts = ["1、甲"] * 50
    assert grouped(*texts) == [["1、"]] * 50


def test_names_with_text_below_are_headings_and_bare_ones_are_steps() -> None:
    group = OpenSeries()
    for index, body in enumerate((90, 80, 0)):
        group.add(member(index, f"{index + 1}、名称{index}", body))
    (series,) = group.all()
    assert are_headings(series, styled=True)
    bare = OpenSeries()
    for index in range(3):
        bare.add(member(index, f"{index + 1}、名称{index}"))
    assert not are_headings(bare.all()[0], styled=False)
