import pytest

from stepdown.control.tokens import ADDRESSES, FAILURES, REFILL, Brake, allows, holder, presented
from tests.kit.controller_state import a_token

VIEW = a_token("grafana", "view", "look-only")
OPERATE = a_token("deploy", "operate", "s3cret")


@pytest.mark.parametrize(
    ("fields", "token"),
    [
        (["Bearer s3cret"], "s3cret"),
        (["bearer   abc.DEF-123_~+/=="], "abc.DEF-123_~+/=="),
        ([], None),
        (["Bearer"], None),
        (["Bearer "], None),
        (["Bearer a b"], None),
        (["Bearer a,b"], None),
        (["Basic czNjcmV0"], None),
        (["s3cret"], None),
        (["Bearer s3cret", "Bearer s3cret"], None),
        (["Bearer s3cret\x00"], None),
        (["Bearer \udcff"], None),
        (["Bearer é"], None),
        (["Bearer ="], None),
    ],
)
def test_only_one_well_formed_bearer_token_counts(fields, token):
    assert presented(fields) == token


def test_a_token_has_one_holder():
    assert holder("s3cret", [VIEW, OPERATE]) is OPERATE
    assert holder("look-only", [VIEW, OPERATE]) is VIEW


@pytest.mark.parametrize("text", ["", "s3cre", "s3cret ", "S3CRET", "s3cret\0", "x" * 8000])
def test_what_is_nearly_a_token_is_none(text):
    assert holder(text, [VIEW, OPERATE]) is None


def test_without_tokens_nobody_is_a_holder():
    assert holder("", []) is None


def test_a_digest_is_no_token():
    assert holder(OPERATE.sha256.hex(), [OPERATE]) is None


def test_who_may_operate_may_view_but_not_the_other_way_round():
    assert allows(OPERATE, "operate")
    assert allows(OPERATE, "view")
    assert allows(VIEW, "view")
    assert not allows(VIEW, "operate")


def fail(brake, address, times, now=0.0):
    for _ in range(times):
        brake.failed(address, now)


def test_an_address_may_fail_a_few_times_and_then_has_to_wait():
    brake = Brake()
    fail(brake, "10.0.0.1", FAILURES - 1)
    assert brake.wait("10.0.0.1", 0.0) == 0
    fail(brake, "10.0.0.1", 1)
    assert brake.wait("10.0.0.1", 0.0) == REFILL
    assert brake.wait("10.0.0.1", REFILL / 2) == REFILL / 2
    assert brake.wait("10.0.0.1", REFILL) == 0
    assert brake.wait("10.0.0.2", 0.0) == 0


def test_after_the_wait_one_more_failure_means_to_wait_again():
    brake = Brake()
    fail(brake, "10.0.0.1", FAILURES)
    brake.failed("10.0.0.1", REFILL)
    assert brake.wait("10.0.0.1", REFILL) == REFILL


def test_addresses_of_one_ipv6_network_are_one():
    brake = Brake()
    for number in range(FAILURES):
        brake.failed(f"2001:db8::{number:x}", 0.0)
    assert brake.wait("2001:db8::ffff", 0.0) > 0
    assert brake.wait("2001:db8:0:1::1", 0.0) == 0
    fail(brake, "fe80::1%eth0", FAILURES)
    assert brake.wait("fe80::2%eth0", 0.0) > 0


def test_addresses_without_end_need_no_memory_without_end():
    brake = Brake()
    fail(brake, "the first", FAILURES)
    for number in range(ADDRESSES):
        brake.failed(f"10.0.{number // 256}.{number % 256}", 1.0)
    assert len(brake._failures) == ADDRESSES
    assert brake.wait("the first", 1.0) == 0
