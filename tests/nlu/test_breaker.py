"""The circuit breaker's states, one by one and over any history."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nlu.breaker import CircuitBreaker, Closed, HalfOpen, Limits, Open, Permit, ask, fail, succeed

LIMITS = Limits(failures=3, open_s=2.0, max_open_s=10.0, probe_s=1.0)


def test_it_opens_after_failures_in_a_row() -> None:
    state: Closed | Open | HalfOpen = Closed()
    for _ in range(2):
        state = fail(state, Permit(probe=False), LIMITS, now=0.0)
    assert state == Closed(2)
    assert fail(state, Permit(probe=False), LIMITS, now=5.0) == Open(7.0, 2.0)


def test_a_success_forgives() -> None:
    assert succeed(Closed(2), Permit(probe=False)) == Closed(0)


def test_open_refuses_until_its_time() -> None:
    assert ask(Open(7.0, 2.0), LIMITS, now=6.9) == (Open(7.0, 2.0), None)
    state, permit = ask(Open(7.0, 2.0), LIMITS, now=7.0)
    assert (state, permit) == (HalfOpen(8.0, 2.0), Permit(probe=True))


def test_only_one_probe_is_out() -> None:
    assert ask(HalfOpen(8.0, 2.0), LIMITS, now=7.5) == (HalfOpen(8.0, 2.0), None)


def test_a_lost_probe_is_given_up() -> None:
    state, permit = ask(HalfOpen(8.0, 2.0), LIMITS, now=8.0)
    assert (state, permit) == (HalfOpen(9.0, 2.0), Permit(probe=True))


def test_the_probe_decides() -> None:
    assert succeed(HalfOpen(8.0, 2.0), Permit(probe=True)) == Closed()
    assert fail(HalfOpen(8.0, 2.0), Permit(probe=True), LIMITS, now=8.0) == Open(12.0, 4.0)


def test_pauses_double_up_to_a_limit() -> None:
    assert fail(HalfOpen(0, 8.0), Permit(probe=True), LIMITS, now=0.0) == Open(10.0, 10.0)


def test_late_news_changes_nothing() -> None:
    late = Permit(probe=False)
    for state in (Open(7.0, 2.0), HalfOpen(8.0, 2.0)):
        assert succeed(state, late) == state
        assert fail(state, late, LIMITS, now=0.0) == state


@given(st.lists(st.booleans(), max_size=40))
def test_without_time_passing_it_opens_once_and_stays(outcomes: list[bool]) -> None:
    breaker = CircuitBreaker(LIMITS, lambda: 0.0)
    row = 0
    for ok in outcomes:
        permit = breaker.ask()
        if permit is None:
            assert row >= LIMITS.failures
            continue
        row = 0 if ok else row + 1
        breaker.settle(permit, ok=ok)
    assert isinstance(breaker.state, Open) == (row >= LIMITS.failures)


class BreakerMachine(RuleBasedStateMachine):
    """Calls start, end and get lost in any order while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = CircuitBreaker(LIMITS, lambda: self.now)
        self.out: list[Permit] = []

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def call(self) -> None:
        permit = self.breaker.ask()
        if permit is not None:
            self.out.append(permit)

    @precondition(lambda self: self.out)
    @rule(ok=st.booleans(), data=st.data())
    def settle(self, ok: bool, data: st.DataObject) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.breaker.settle(permit, ok=ok)

    @precondition(lambda self: self.out)
    @rule()
    def lose(self) -> None:
        self.out.pop()

    @invariant()
    def never_shut_for_longer_than_its_limit(self) -> None:
        state, rounding = self.breaker.state, 1e-9
        if isinstance(state, Open):
            assert state.until - self.now <= LIMITS.max_open_s + rounding
            assert state.pause_s <= LIMITS.max_open_s
        if isinstance(state, HalfOpen):
            assert state.until - self.now <= LIMITS.probe_s + rounding

    @invariant()
    def a_service_is_always_tried_again(self) -> None:
        later = self.now + max(LIMITS.max_open_s, LIMITS.probe_s) + 1e-9
        _, permit = ask(self.breaker.state, LIMITS, now=later)
        assert permit is not None


TestBreakerMachine = BreakerMachine.TestCase
