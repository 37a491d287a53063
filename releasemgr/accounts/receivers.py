"""Make the roles and the robot once all tables and permissions are there."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission

from releasemgr.accounts.models import ROBOT_NAME, User
from releasemgr.accounts.roles import ROBOT, ROLES


def make_roles(sender: Any, using: str, **kwargs: Any) -> None:
    """After the last app is migrated, add the roles that are missing.

    A role that is there is left as its administrators made it.
    """
    with_models = [app for app in apps.get_app_configs() if app.models_module is not None]
    if sender is not with_models[-1]:
        return
    everything = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for name, permissions in ROLES.items():
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        if is_new:
            group.permissions.set(everything[permission] for permission in permissions)
    robot, is_new = User.objects.using(using).get_or_create(
        username=ROBOT_NAME, defaults={"first_name": "Release", "last_name": "robot"}
    )
    if is_new:
        robot.set_unusable_password()
        robot.save(using=using)
        robot.groups.add(Group.objects.using(using).get(name=ROBOT))
