"""Projects and what is in them: every resource that can be in a project is in exactly one.

The bulk begins in the home project, the first default, and stays there without being listed until moved.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from simulator.catalog import Json
from simulator.clock import format_time
from simulator.droplet import NAMESPACE
from simulator.synthetic_droplets import SyntheticDroplets, droplet_id_at

_PURPOSES: Final = frozenset({
    "Just trying out DigitalOcean", "Class project / Educational purposes", "Website or blog",
    "Web Application", "Service or API", "Mobile Application",
    "Machine learning / AI / Data processing", "IoT", "Operational / Developer tooling",
})  # fmt: skip


def stored_purpose(purpose: str) -> str:
    """What DigitalOcean makes of a purpose that is not one of its own."""
    return purpose if purpose in _PURPOSES or purpose.startswith("Other: ") else f"Other: {purpose}"


@dataclass(slots=True)
class Project:
    id: str
    owner_uuid: str
    name: str
    description: str
    purpose: str
    environment: str
    created_at: datetime
    updated_at: datetime
    is_default: bool = False
    members: dict[str, datetime] = field(default_factory=dict)  # URN: when assigned

    def render(self) -> Json:
        return {
            "id": self.id,
            "owner_uuid": self.owner_uuid,
            "owner_id": 258992,
            "name": self.name,
            "description": self.description,
            "purpose": self.purpose,
            "environment": self.environment,
            "is_default": self.is_default,
            "created_at": format_time(self.created_at),
            "updated_at": format_time(self.updated_at),
        }


class ProjectStore:
    def __init__(self, *, seed: int, team: str, synthetic: SyntheticDroplets) -> None:
        self._names = f"{seed}/{team}/project"
        self._made = 0
        self._synthetic = synthetic
        self._projects: dict[str, Project] = {}
        self._project_ids: dict[str, str] = {}
        self._first_project_id = ""

    def __len__(self) -> int:
        return len(self._projects)

    def all(self) -> list[Project]:
        return list(self._projects.values())

    def get(self, project_id: str) -> Project | None:
        return self.default if project_id == "default" else self._projects.get(project_id)

    def find_by_name(self, name: str) -> Project | None:
        return next((project for project in self._projects.values() if project.name == name), None)

    @property
    def default(self) -> Project:
        return next(project for project in self._projects.values() if project.is_default)

    def add(
        self, *, name: str, description: str, purpose: str, environment: str, owner: str, at: datetime
    ) -> Project:
        """A new project; the first of all is the default one, and the bulk's home."""
        self._made += 1
        project = Project(
            id=str(uuid.uuid5(NAMESPACE, f"{self._names}/{self._made}")),
            owner_uuid=owner,
            name=name,
            description=description,
            purpose=stored_purpose(purpose),
            environment=environment,
            created_at=at,
            updated_at=at,
            is_default=not self._projects,
        )
        self._projects[project.id] = project
        self._first_project_id = self._first_project_id or project.id
        return project

    def make_default(self, project: Project) -> None:
        self.default.is_default = False
        project.is_default = True

    def delete(self, project: Project) -> None:
        del self._projects[project.id]

    def holder(self, urn: str) -> str:
        """The id of the project the resource is in; empty if in none."""
        known = self._project_ids.get(urn, "")
        index = self._synthetic_index(urn)
        return known or (
            self._first_project_id if index is not None and index in self._synthetic.in_first_project else ""
        )

    def assign(self, urn: str, project: Project, at: datetime) -> None:
        """Put the resource into the project, out of the one it was in."""
        if self.holder(urn) == project.id:
            return
        self.forget(urn)
        index = self._synthetic_index(urn)
        if index is not None and project.id == self._first_project_id:
            self._synthetic.in_first_project.restore(index)
            return
        if index is not None:
            self._synthetic.in_first_project.discard(index)
        self._project_ids[urn] = project.id
        project.members[urn] = at

    def forget(self, urn: str) -> None:
        """Take a resource that is held out of its project, for it is gone or on the move."""
        before = self._projects.get(self._project_ids.pop(urn, ""))
        if before is not None:
            del before.members[urn]

    def size(self, project: Project) -> int:
        return len(project.members) + (
            len(self._synthetic.in_first_project) if project.id == self._first_project_id else 0
        )

    def members(self, project: Project, start: int, stop: int) -> list[tuple[str, datetime]]:
        """Number `start` to `stop`, exclusive, of the project's resources: URN and when assigned."""
        own = list(project.members.items())
        found = own[start:stop]
        if project.id == self._first_project_id and stop > len(own):
            indices = self._synthetic.in_first_project.slice(max(0, start - len(own)), stop - len(own))
            found += [(f"do:droplet:{droplet_id_at(index)}", project.created_at) for index in indices]
        return found

    def _synthetic_index(self, urn: str) -> int | None:
        key = urn.removeprefix("do:droplet:")
        return self._synthetic.find_index(int(key)) if key.isdecimal() else None
