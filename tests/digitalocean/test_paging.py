"""Lists are read to their end, and the token goes to the configured address alone."""

import pytest

from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderUnavailable
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import TagRecord
from tests.digitalocean.conftest import TOKEN, Connect
from tests.digitalocean.provider import Reply, Script, Seen, droplet, one_after_another, page_of, provider

TAGS = Listing("/v2/tags", "tags", TagRecord)


def _tags(*names: str, next_address: str = "", total: int | None = None) -> Reply:
    return Reply(
        body=page_of("tags", [{"name": name} for name in names], next_address=next_address, total=total)
    )


def test_a_list_is_read_to_its_end_in_pages_of_two_hundred(connect: Connect) -> None:
    def three_pages(seen: Seen) -> Reply:
        number = int(seen.query["page"])
        items = [droplet(number * 10), droplet(number * 10 + 1)]
        following = f"https://api.digitalocean.com/v2/droplets?page={number + 1}&per_page=200"
        return Reply(body=page_of("droplets", items, total=6, next_address=following if number < 3 else ""))

    client, server = connect(three_pages)
    assert [each.id for each in client.droplets()] == [10, 11, 20, 21, 30, 31]
    assert [(seen.query["page"], seen.query["per_page"]) for seen in server.seen] == [
        ("1", "200"), ("2", "200"), ("3", "200"),
    ]  # fmt: skip
    assert client.calls == 3
    assert server.connections == 1


def test_a_page_has_its_number_and_the_total(connect: Connect) -> None:
    client, _ = connect(
        one_after_another(_tags("a", "b", next_address="/v2/tags?page=2", total=3), _tags("c", total=3))
    )
    pages = list(client.pages(TAGS))
    assert [(page.number, page.total, len(page.items)) for page in pages] == [(1, 3, 2), (2, 3, 1)]


def test_the_host_of_the_next_page_is_never_followed(connect: Connect) -> None:
    with provider(lambda _seen: _tags("stolen")) as thief:
        client, server = connect(
            one_after_another(_tags("a", next_address=f"{thief.url}/v2/other?page=2"), _tags("b"))
        )
        assert [tag.name for tag in client.tags()] == ["a", "b"]
        assert thief.seen == []
    assert [seen.path for seen in server.seen] == ["/v2/tags", "/v2/tags"]
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {TOKEN}"}


def test_filters_are_kept_on_every_page(connect: Connect) -> None:
    client, server = connect(
        one_after_another(
            Reply(body=page_of("droplets", [droplet(1)], next_address="http://x/v2/droplets?page=2")),
            Reply(body=page_of("droplets", [droplet(2)])),
        )
    )
    assert len(list(client.droplets(tag="saga:1 & more", gpus=True))) == 2
    assert [(seen.query["tag_name"], seen.query["type"]) for seen in server.seen] == [
        ("saga:1 & more", "gpus")
    ] * 2


def test_an_empty_page_ends_the_list_whatever_its_links_say(connect: Connect) -> None:
    client, server = connect(
        one_after_another(_tags("a", next_address="/?page=2"), _tags(next_address="/?page=3"))
    )
    assert [tag.name for tag in client.tags()] == ["a"]
    assert len(server.seen) == 2


def test_a_list_without_end_is_given_up_by_name(connect: Connect) -> None:
    client, server = connect(
        lambda seen: _tags("a", next_address=f"/?page={int(seen.query['page']) + 1}"), most_pages=7
    )
    with pytest.raises(ProviderMalformed, match=r"GET /v2/tags: .*more than 7 pages"):
        list(client.tags())
    assert len(server.seen) == 7


@pytest.mark.parametrize(
    "address",
    [
        "/?page=1",
        "/?page=0",
        "/?page=-2",
        "/?page=x",
        "/?page=²",
        "/?other=2",
        "/?page=2&",
        "/?page=" + "3" * 5000,
    ],
)
def test_a_next_page_that_leads_nowhere_new_is_refused(connect: Connect, address: str) -> None:
    client, _ = connect(
        one_after_another(_tags("a", next_address="/?page=2"), _tags("b", next_address=address))
    )
    with pytest.raises(ProviderMalformed, match="page number above the current one"):
        list(client.tags())


@pytest.mark.parametrize(
    "around",
    [
        {},
        {"links": {}},
        {"links": None, "meta": None},
        {"links": {"pages": {}}},
        {"links": {"pages": None}, "meta": {}},
    ],
)
def test_every_way_to_say_last_page_is_understood(connect: Connect, around: dict[str, object]) -> None:
    client, server = connect(lambda _seen: Reply(body={"tags": [{"name": "a"}], **around}))
    (page,) = client.pages(TAGS)
    assert (page.total, len(server.seen)) == (None, 1)


def test_an_unpaged_list_is_one_call_without_paging_parameters(connect: Connect) -> None:
    client, server = connect(lambda _seen: _tags("a", next_address="/?page=2"))
    listing = Listing("/v2/databases", "tags", TagRecord, style="unpaged")
    assert [page.items[0].name for page in client.pages(listing)] == ["a"]
    assert [dict(seen.query) for seen in server.seen] == [{}]


def test_a_cursor_list_hands_its_token_on(connect: Connect) -> None:
    client, server = connect(
        one_after_another(
            _tags("a", next_address="http://x/?page_token=T%2B1&page=2"), _tags("b", next_address="")
        )
    )
    listing = Listing("/v2/tags", "tags", TagRecord, style="cursor")
    assert [page.items[0].name for page in client.pages(listing)] == ["a", "b"]
    assert [dict(seen.query) for seen in server.seen] == [
        {"per_page": "200"}, {"per_page": "200", "page_token": "T+1"},
    ]  # fmt: skip


def test_a_cursor_that_repeats_itself_is_refused(connect: Connect) -> None:
    client, server = connect(lambda _seen: _tags("a", next_address="/?page_token=same"))
    with pytest.raises(ProviderMalformed, match="no new page_token"):
        list(client.pages(Listing("/v2/tags", "tags", TagRecord, style="cursor")))
    assert len(server.seen) == 2


# --- Pages that are too heavy ----------------------------------------------------------------------


def _heavy(count: int, *, most: int, refusal: Reply) -> Script:
    """A list that fails for pages of more than `most`."""

    def answer(seen: Seen) -> Reply:
        number, size = int(seen.query["page"]), int(seen.query["per_page"])
        if size > most:
            return refusal
        names = [{"name": f"tag-{each}"} for each in range((number - 1) * size, min(count, number * size))]
        following = (
            f"https://x.example/v2/tags?page={number + 1}&per_page={size}" if number * size < count else ""
        )
        return Reply(body=page_of("tags", names, total=count, next_address=following))

    return answer


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("most", "refusal"),
    [
        (100, Reply(status=504, body={"id": "gateway_timeout", "message": "too slow"})),
        (50, Reply(status=504, body="<html></html>")),
        (25, Reply(delay=1.0, body={})),  # no answer within the client's own limit
    ],
)
def test_a_page_that_is_too_heavy_is_halved_until_it_is_not(
    connect: Connect, most: int, refusal: Reply
) -> None:
    client, server = connect(_heavy(120, most=most, refusal=refusal), timeout=0.2)
    assert [tag.name for tag in client.tags()] == [f"tag-{each}" for each in range(120)]
    sizes = [int(seen.query["per_page"]) for seen in server.seen]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes.count(size) for size in sizes if size > most) == 2


@pytest.mark.usefixtures("quick")
def test_a_page_that_grows_too_heavy_in_the_middle_goes_on_from_its_place(connect: Connect) -> None:
    light = _heavy(500, most=200, refusal=Reply(status=504))
    heavy = _heavy(500, most=50, refusal=Reply(status=504))

    def answer(seen: Seen) -> Reply:
        is_first = seen.query["per_page"] == "200" and seen.query["page"] == "1"
        return light(seen) if is_first else heavy(seen)

    client, _ = connect(answer)
    assert [tag.name for tag in client.tags()] == [f"tag-{each}" for each in range(500)]


@pytest.mark.usefixtures("quick")
def test_a_list_that_fails_in_any_size_fails(connect: Connect) -> None:
    client, server = connect(_heavy(120, most=0, refusal=Reply(status=504)))
    with pytest.raises(ProviderUnavailable, match="504"):
        list(client.tags())
    assert server.seen[-1].query["per_page"] == "25"
