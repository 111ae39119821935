"""How passwords rest. The rest of the suite hashes cheaply (see tests.thrift)."""

from argon2 import Type, extract_parameters

from tests.thrift import STRONG_HASHER


def test_a_password_rests_as_strongly_as_is_advised_for_argon2id() -> None:
    stored = extract_parameters(STRONG_HASHER.hash("a good long password"))
    assert stored.type is Type.ID
    assert stored.memory_cost >= 19 * 1024
    assert stored.time_cost >= 2
