"""What ships to be learnt from is enough: intents, varied examples, entities, lookup tables."""

from collections import Counter, defaultdict

from nlu.training_data import read_training_data
from nlu.types import Intent
from tests.nlu.samples import DATA

INTENTS, EXAMPLES = 16, 60


def test_every_intent_has_many_different_examples() -> None:
    texts = defaultdict(set)
    for example in read_training_data([DATA / "nlu"]).examples:
        texts[Intent(example.intent)].add(example.text)
    assert len(texts) >= INTENTS
    assert {intent: len(said) for intent, said in texts.items() if len(said) < EXAMPLES} == {}


def test_every_entity_is_marked_often_and_looked_up_where_there_are_lists() -> None:
    data = read_training_data([DATA / "nlu"])
    marked = Counter(one.name for example in data.examples for one in example.entities)
    assert len(marked) >= 10
    assert min(marked.values()) >= EXAMPLES
    assert sum(len(words) for words in data.lookups.values()) >= 100
