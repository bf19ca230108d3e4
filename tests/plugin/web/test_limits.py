import pytest

from tests.fakes.door import open_door


def refused(door, times):
    query = {"client_id": "https://stranger.example", "request": "x"}
    return [door.http.get("/authorize", query_string=query).status_code for _ in range(times)]


def test_refused_requests_of_one_address_are_counted(door):
    assert refused(door, 120) == [401] * 120
    response = door.authorize()
    assert response.status_code == 429
    assert "Location" not in response.headers


def test_another_address_is_not_affected(door):
    refused(door, 121)
    query = {"client_id": door.realm.issuer, "request": door.realm.request()}
    other = door.http.get("/authorize", query_string=query, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 303


def test_a_busy_office_behind_one_address_is_let_in(door):
    assert {door.authorize().status_code for _ in range(130)} == {303}


def test_forged_assertions_are_counted_per_address(door):
    statuses = [door.redeem("x", client_assertion="a.b.c").status_code for _ in range(121)]
    assert statuses == [401] * 120 + [429]
    assert door.redeem("x").json["error"] == "too_many_requests"


def test_nobody_can_lock_out_a_provider_by_making_it_bring_worthless_codes(door):
    assert {door.redeem("x").status_code for _ in range(130)} == {400}
    assert door.redeem(door.code()).status_code == 200


def test_guessing_ceremonies_is_counted(door):
    headers = {"X-Facestep": "1", "Origin": "https://face.example"}
    call = lambda: door.http.post("/api/ceremony/unknown/cancel", json={}, headers=headers).status_code  # noqa: E731
    assert [call() for _ in range(121)] == [410] * 120 + [429]


def test_a_forged_forwarded_header_does_not_change_the_address(door):
    query = {"client_id": "https://stranger.example", "request": "x"}
    for number in range(120):
        door.http.get("/authorize", query_string=query, headers={"X-Forwarded-For": f"192.0.2.{number}"})
    assert door.authorize().status_code == 429


@pytest.mark.parametrize(
    ("proxies", "sent", "seen"), [(1, "203.0.113.9, 192.0.2.1", "192.0.2.1"), (0, "192.0.2.1", "127.0.0.1")]
)
def test_only_the_configured_number_of_proxies_is_believed(tmp_path, caplog, proxies, sent, seen):
    caplog.set_level("INFO")
    door = open_door(tmp_path, trusted_proxies=proxies)
    door.http.get("/health/live", headers={"X-Forwarded-For": sent})
    assert [r.facestep["address"] for r in caplog.records if r.name == "facestep.access"] == [seen]


def test_a_counter_that_is_away_lets_nothing_through(door, monkeypatch):
    (limiter,) = door.http.application.extensions["limiter"]

    def away(*_, **__):
        raise ConnectionError("the storage is away")

    monkeypatch.setattr(limiter.limiter, "hit", away)
    monkeypatch.setattr(limiter.limiter, "test", away)
    response = door.authorize()
    assert response.status_code == 500
    assert "Location" not in response.headers
    assert door.audited("ceremony_begun") == []
