"""A file that is downloaded gives its place back, and runs no formula."""

import pytest

from arcadia_cloud.kernel.api.downloads import Download, DownloadPlaces, TooManyDownloads


def test_a_client_that_leaves_gives_its_place_back_once() -> None:
    told: list[str] = []
    held = Download([b"a" * 200_000], lambda: told.append("back"))
    assert len(next(held)) == 65_536
    held.close()  # as the web server does, at the end and when the client leaves
    held.close()
    assert told == ["back"]
    assert list(held) == []


def test_an_owner_has_one_place_and_two_owners_take_them_all() -> None:
    places = DownloadPlaces()
    places.take("tenant:acme")
    with pytest.raises(TooManyDownloads, match="of yours"):
        places.take("tenant:acme")
    places.take("tenant:globex")
    with pytest.raises(TooManyDownloads, match="Others"):
        places.take("tenant:initech")
    places.give_back("tenant:acme")
    places.take("tenant:initech")
