"""Past a proxy, to what runs on this machine."""

import pytest

from arcadia_cloud.embedded.proxies import no_proxy_variables


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"no_proxy": ""}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "intranet.example, 10.0.0.1"}, "intranet.example,10.0.0.1,127.0.0.1,localhost,::1"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,127.0.0.1,localhost,::1"),
        ({"no_proxy": "localhost"}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_this_machine_is_added_to_what_is_reached_without_a_proxy(value: dict[str, str], hosts: str) -> None:
    assert no_proxy_variables(value) == {"no_proxy": hosts, "NO_PROXY": hosts}
