"""Projects and their resources: every resource that can be in a project is in exactly one.

Synthetic droplets begin in the first project, the first default, without being stored there until moved.
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


def normalize_purpose(purpose: str) -> str:
    """Prefix a purpose that is none of DigitalOcean's own, as DigitalOcean does."""
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
    assigned_at: dict[str, datetime] = field(default_factory=dict)  # by URN

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
        self._last_number = 0
        self._synthetic = synthetic
        self._projects: dict[str, Project] = {}
        self._project_ids: dict[str, str] = {}
        self._first_project_id = ""

    def __len__(self) -> int:
        return len(self._projects)

    def list_all(self) -> list[Project]:
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
        """Add a project; the first one is the default, and has the synthetic droplets."""
        self._last_number += 1
        project = Project(
            id=str(uuid.uuid5(NAMESPACE, f"{self._names}/{self._last_number}")),
            owner_uuid=owner,
            name=name,
            description=description,
            purpose=normalize_purpose(purpose),
            environment=environment,
            created_at=at,
            updated_at=at,
            is_default=not self._projects,
        )
        self._projects[project.id] = project
        # Not the default of any later time: synthetic droplets stay when another project becomes the default.
        self._first_project_id = self._first_project_id or project.id
        return project

    def make_default(self, project: Project) -> None:
        self.default.is_default = False
        project.is_default = True

    def delete(self, project: Project) -> None:
        del self._projects[project.id]

    def find_project_id(self, urn: str) -> str:
        """Return the id of the project that the resource is in, empty if it is in none."""
        known = self._project_ids.get(urn, "")
        index = self._synthetic_index(urn)
        return known or (
            self._first_project_id if index is not None and index in self._synthetic.in_first_project else ""
        )

    def assign(self, urn: str, project: Project, at: datetime) -> None:
        """Move the resource to the project; a no-op if it is there already."""
        if self.find_project_id(urn) == project.id:
            return
        self.unassign(urn)
        index = self._synthetic_index(urn)
        # Back in the first project a synthetic droplet is no longer stored, or it would be listed twice.
        if index is not None and project.id == self._first_project_id:
            self._synthetic.in_first_project.restore(index)
            return
        if index is not None:
            self._synthetic.in_first_project.discard(index)
        self._project_ids[urn] = project.id
        project.assigned_at[urn] = at

    def unassign(self, urn: str) -> None:
        """Take a deleted or moved resource out of its project."""
        before = self._projects.get(self._project_ids.pop(urn, ""))
        if before is not None:
            del before.assigned_at[urn]

    def count_resources(self, project: Project) -> int:
        return len(project.assigned_at) + (
            len(self._synthetic.in_first_project) if project.id == self._first_project_id else 0
        )

    def list_resources(self, project: Project, start: int, stop: int) -> list[tuple[str, datetime]]:
        """Return the resources number `start` to `stop`, exclusive: URN and time of assignment."""
        own = list(project.assigned_at.items())
        found = own[start:stop]
        if project.id == self._first_project_id and stop > len(own):
            indices = self._synthetic.in_first_project.slice(max(0, start - len(own)), stop - len(own))
            found += [(f"do:droplet:{droplet_id_at(index)}", project.created_at) for index in indices]
        return found

    def _synthetic_index(self, urn: str) -> int | None:
        key = urn.removeprefix("do:droplet:")
        return self._synthetic.find_index(int(key)) if key.isdecimal() else None
