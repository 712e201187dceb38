"""Beside busy workers few copies are taken, as many as a share of the time is enough for; otherwise as many as come."""

from __future__ import annotations

import pytest

from stepdown.comparer.courtesy import BUSY, FREE, LEAST, MOST, SHARE, Courtesy, Usage

TICK = 0.25
COST = 250e-6
"""Seconds that a copy takes here."""


class Machine:
    """One core, of which the comparer gets what a worker leaves."""

    def __init__(self, courtesy: Courtesy, worker: float, *, cores: int = 1, cost: float = COST) -> None:
        self.courtesy = courtesy
        self.worker = worker
        self.cores = cores
        self.cost = cost
        self.now = 100.0
        self.ran = self.waited = 5.0
        courtesy.look(Usage(self.ran, self.waited), 0.0, self.now)

    def pass_time(self, due: float, ticks: int = 1) -> float:
        """Copies are due at that rate for so many ticks; how many a second were taken."""
        taken = 0
        for _ in range(ticks):
            room = self.courtesy.room()
            copies = int(due * TICK) if room is None else min(int(due * TICK), room)
            free = TICK if self.cores > 1 else TICK * (1 - self.worker)
            copies = min(copies, int(free / self.cost))
            ran = copies * self.cost
            self.courtesy.took(copies)
            self.ran += ran
            self.waited += 0.0 if self.cores > 1 else ran / (1 - self.worker) - ran
            self.now += TICK
            self.courtesy.look(Usage(self.ran, self.waited), self.worker * TICK, self.now)
            taken += copies
        return taken / (ticks * TICK)


def test_without_a_look_there_is_no_limit() -> None:
    assert Courtesy().room() is None


@pytest.mark.parametrize("cost", [20e-6, 50e-6, 250e-6])
def test_beside_a_busy_worker_copies_take_their_share_of_the_time(cost: float) -> None:
    machine = Machine(Courtesy(), 0.5, cost=cost)
    machine.pass_time(15_000, 4)
    assert machine.pass_time(15_000, 40) * cost == pytest.approx(SHARE, rel=0.1)


def test_after_the_first_look_at_too_many_it_is_enough_already() -> None:
    machine = Machine(Courtesy(), 0.5)
    assert machine.pass_time(15_000) > 1000
    assert 0 < machine.pass_time(15_000) <= SHARE / COST


def test_a_core_for_each_leaves_no_limit() -> None:
    machine = Machine(Courtesy(), 0.9, cores=2)
    assert machine.pass_time(3_000, 20) == 3_000
    assert machine.courtesy.rate == FREE


def test_a_worker_with_little_to_do_leaves_no_limit() -> None:
    machine = Machine(Courtesy(), BUSY)
    assert machine.pass_time(3_000, 20) == 3_000
    assert machine.courtesy.rate == FREE


def test_few_copies_are_never_too_many() -> None:
    machine = Machine(Courtesy(), 0.9)
    assert machine.pass_time(4 / TICK, 20) == 4 / TICK < SHARE / COST
    assert machine.courtesy.rate == FREE


def test_dear_copies_still_come_now_and_then() -> None:
    machine = Machine(Courtesy(), 0.5, cost=0.1)
    machine.pass_time(1_000, 8)
    assert machine.pass_time(1_000, 40) == pytest.approx(LEAST, rel=0.1)


def test_what_is_not_used_is_not_kept() -> None:
    machine = Machine(Courtesy(), 0.5)
    machine.pass_time(15_000, 8)
    machine.pass_time(1 / TICK, 4)
    room = machine.courtesy.room()
    assert room is not None
    assert room <= machine.courtesy.rate * TICK + 1


def test_a_process_that_never_comes_to_run_is_given_no_more() -> None:
    machine = Machine(Courtesy(), 0.5)
    machine.pass_time(15_000, 8)
    rate = machine.courtesy.rate
    for _ in range(8):
        machine.now += TICK
        machine.waited += TICK
        machine.courtesy.look(Usage(machine.ran, machine.waited), TICK, machine.now)
    assert machine.courtesy.rate == rate


def test_the_limit_rises_step_by_step_once_a_core_is_free() -> None:
    machine = Machine(Courtesy(), 0.5)
    machine.pass_time(15_000, 8)
    machine.cores = 2
    rates = []
    while machine.courtesy.rate != FREE:
        rates.append(machine.courtesy.rate)
        machine.pass_time(15_000)
    assert 4 < len(rates) < 12
    assert rates == sorted(rates)
    assert rates[-1] < MOST


def test_where_copies_grow_cheaper_more_of_them_are_taken() -> None:
    machine = Machine(Courtesy(), 0.5, cost=250e-6)
    machine.pass_time(15_000, 4)
    before = machine.pass_time(15_000, 20)
    machine.cost = 25e-6
    machine.pass_time(15_000, 10)
    assert machine.pass_time(15_000, 20) > 5 * before


def test_a_look_at_the_same_moment_changes_nothing() -> None:
    machine = Machine(Courtesy(), 0.5)
    machine.pass_time(15_000, 4)
    rate, room = machine.courtesy.rate, machine.courtesy.room()
    machine.courtesy.look(Usage(machine.ran + 1, machine.waited + 9), 0.5, machine.now)
    assert (machine.courtesy.rate, machine.courtesy.room()) == (rate, room)
