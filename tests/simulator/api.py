"""HTTP client of the simulator's tests, with a token."""

from typing import Any

import requests

from simulator.simulation import DEFAULT_TOKEN

Json = dict[str, Any]
TIMEOUT_SECONDS = 20


class Api:
    def __init__(self, url: str, token: str = DEFAULT_TOKEN) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()

    def ask(self, method: str, path: str, body: Json | None = None) -> requests.Response:
        return self._session.request(method, self.url + path, json=body, timeout=TIMEOUT_SECONDS)

    def get(self, path: str, *, status: int = 200) -> Json:
        return self._asked("GET", path, None, status)

    def post(self, path: str, body: Json | None = None, *, status: int = 201) -> Json:
        return self._asked("POST", path, body, status)

    def put(self, path: str, body: Json, *, status: int = 200) -> Json:
        return self._asked("PUT", path, body, status)

    def patch(self, path: str, body: Json, *, status: int = 200) -> Json:
        return self._asked("PATCH", path, body, status)

    def delete(self, path: str, body: Json | None = None, *, status: int = 204) -> Json:
        return self._asked("DELETE", path, body, status)

    def refusal(self, method: str, path: str, body: Json | None = None) -> tuple[int, str, str]:
        """Return the status, id and message of a response that must be a refusal."""
        answer = self.ask(method, path, body)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["id"], answer.json()["message"]

    def advance(self, seconds: float) -> None:
        self.post("/_control/advance", {"seconds": seconds}, status=200)

    def arm(self, kind: str, **settings: object) -> None:
        self.post("/_control/faults", {"kind": kind, **settings})

    def create(self, name: str = "made-01", **payload: object) -> Json:
        """Create a droplet and let it become active."""
        order = {"size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "region": "fra1"}
        made: Json = self.post("/v2/droplets", {"name": name, **order, **payload}, status=202)["droplet"]
        self.advance(31)
        return made

    def names(self, path: str = "/v2/droplets", key: str = "droplets") -> list[str]:
        """Return the names of a list, of all its pages, in order."""
        found: list[str] = []
        page = 0
        while True:
            page += 1
            body = self.get(f"{path}{'&' if '?' in path else '?'}page={page}&per_page=200")
            found += [item["name"] for item in body[key]]
            if "next" not in body["links"].get("pages", {}):
                return found

    def _asked(self, method: str, path: str, body: Json | None, status: int) -> Json:
        answer = self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else {}
