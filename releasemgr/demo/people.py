"""Who works at Tarnwick Mutual, an insurer that does not exist."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from releasemgr.accounts import roles
from releasemgr.accounts.models import User

#: Groups that approve; they open nothing by themselves.
BOARDS = ("Change advisory board", "Security", "Executives")

WORDS = [
    "amber",
    "birch",
    "cobalt",
    "dune",
    "ember",
    "fjord",
    "gravel",
    "harbour",
    "indigo",
    "juniper",
    "kestrel",
    "lagoon",
    "maple",
    "nectar",
    "orchid",
    "pebble",
    "quartz",
    "river",
    "saffron",
    "tundra",
    "umber",
    "velvet",
    "willow",
    "yarrow",
    "zephyr",
]


@dataclass(frozen=True)
class Member:
    """One person of the demo."""

    username: str
    first_name: str
    last_name: str
    role: str
    boards: tuple[str, ...] = ()
    time_zone: str = "Europe/London"


STAFF = (
    Member("ines", "Ines", "Calder", roles.RELEASE_MANAGER),
    Member("tomas", "Tomas", "Brandt", roles.RELEASE_ENGINEER, time_zone="Europe/Berlin"),
    Member("mika", "Mika", "Laine", roles.PRODUCT_OWNER, time_zone="Europe/Helsinki"),
    Member("devi", "Devi", "Anand", roles.DEVELOPER),
    Member("grace", "Grace", "Oduya", roles.APPROVER, ("Executives",)),
    Member("sam", "Sam", "Iverson", roles.STAKEHOLDER),
    Member("ada", "Ada", "Kerr", roles.ADMINISTRATOR),
    Member("jonas", "Jonas", "Weil", roles.RELEASE_MANAGER, time_zone="Europe/Berlin"),
    Member("noor", "Noor", "Haddad", roles.RELEASE_ENGINEER),
    Member("rosa", "Rosa", "Quintero", roles.PRODUCT_OWNER, time_zone="Europe/Madrid"),
    Member("yuki", "Yuki", "Mori", roles.DEVELOPER, time_zone="Asia/Tokyo"),
    Member("pavel", "Pavel", "Marek", roles.APPROVER, ("Change advisory board", "Security")),
    Member("lena", "Lena", "Voss", roles.APPROVER, ("Change advisory board",)),
    Member("hugo", "Hugo", "Brisk", roles.APPROVER, ("Change advisory board", "Executives")),
)


def passphrase() -> str:
    """A password of this installation's own, easy to type on a phone."""
    return "-".join(secrets.choice(WORDS) for _ in range(3)) + f"-{secrets.randbelow(9000) + 1000}"


def hire(password: str) -> dict[str, User]:
    """Make everybody; all share ``password``. Returns them by user name."""
    boards = {name: Group.objects.get_or_create(name=name)[0] for name in BOARDS}
    hashed = make_password(password)  # once: hashing is slow on purpose
    people = {}
    for member in STAFF:
        user = User(
            username=member.username,
            first_name=member.first_name,
            last_name=member.last_name,
            email=f"{member.username}@tarnwick.example",
            time_zone=member.time_zone,
            is_staff=member.role == roles.ADMINISTRATOR,
            password=hashed,
        )
        user.save()
        user.groups.add(Group.objects.get(name=member.role), *(boards[b] for b in member.boards))
        people[member.username] = user
    return people


def sign_ins(password: str) -> list[dict[str, str]]:
    """One line per account, the first of each role first."""
    return [
        {
            "role": member.role,
            "username": member.username,
            "name": f"{member.first_name} {member.last_name}",
            "password": password,
        }
        for member in STAFF
    ]
