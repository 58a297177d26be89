"""The roles of people, and the users of our own services. A role is a group of Trino's group provider."""

from __future__ import annotations

from enum import StrEnum

from wms_mesh.stack import REPO

RULES = REPO / "infra" / "trino" / "rules.json"  # written by rules.py


class Role(StrEnum):
    """What people are, from the most to the least that they may read; none of them may write."""

    ENGINEER = "engineer"  # everything, as it is: who mends the chain looks into bronze and behind it
    QUALITY = "quality"  # judges the data: the quarantine, failing rows and unreadable values, no other personal data
    PRODUCT_OWNER = "product_owner"  # owns the data: the quarantine besides what analysts read
    ANALYST = "analyst"  # silver, gold and semantic, personal data masked


class Service(StrEnum):
    """Our own processes. Each has one user, called mesh- and this, in a group of the same name."""

    MAINTAINER = "maintainer"  # the command line and the supervisor's duties: makes and keeps every table
    REFRESHER = "refresher"  # dbt: reads bronze, writes what is made of it
    MONITORING = "monitoring"  # Prometheus: reads the engine's metrics, no table

    @property
    def user(self) -> str:
        """The user's name."""
        return f"mesh-{self}"


# The embedded stack's users and their group: the services', and one for each role, to look through its eyes.
USERS: dict[str, str] = {
    **{service.user: service.value for service in Service},
    **{role.value: role.value for role in Role},
}
