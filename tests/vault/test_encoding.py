from __future__ import annotations

from itertools import combinations

import pytest

from vault.encoding import canonical

DIFFERENT = [
    (),
    (None,),
    ("",),
    (b"",),
    (0,),
    (False,),
    (True,),
    (1,),
    ("1",),
    (b"1",),
    (-1,),
    (10**30,),
    ("ab", "c"),
    ("a", "bc"),
    ("abc",),
    (["a", "b"],),
    (["a"], ["b"]),
    ("a", "b"),
    ([],),
    ({},),
    ({"a": "b"},),
    ({"a": None},),
    ({"a": "b", "c": "d"},),
    ({"a": "bc", "": "d"},),
    (["a", "b", "c", "d"],),
    ("s\x00\x00\x00\x01a",),
]


def test_different_values_have_different_bytes():
    for one, other in combinations(DIFFERENT, 2):
        assert canonical(*one) != canonical(*other), (one, other)


def test_the_order_of_a_mapping_does_not_matter():
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


def test_half_a_surrogate_pair_has_an_encoding_of_its_own():
    assert canonical("\ud800") != canonical("\ud801")


@pytest.mark.parametrize("value", [1.5, object(), {1, 2}])
def test_what_has_no_stable_bytes_is_refused(value):
    with pytest.raises(TypeError):
        canonical(value)


def test_the_bytes_are_those_that_stored_macs_were_made_over():
    assert canonical("a", 1, None, True, b"x", ["y"]).hex() == (
        "7300000001616900000001316e000000007400000001016200000001786c00000006730000000179"
    )
