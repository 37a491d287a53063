import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from releasemgr.accounts.models import User
from releasemgr.accounts.roles import ADMINISTRATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    user = User.objects.create_user("adisa", password="pw", is_staff=True)
    user.groups.add(Group.objects.get(name=ADMINISTRATOR))
    client.force_login(user)
    return user


@pytest.fixture
def kofi():
    return User.objects.create_user("kofi", password="pw")


def page_of(user, page="change"):
    return reverse(f"admin:accounts_user_{page}", args=[user.pk])


def test_administrators_see_people_and_their_roles(client, administrator, kofi):
    assert "kofi" in client.get(reverse("admin:accounts_user_changelist")).content.decode()
    assert client.get(page_of(kofi)).status_code == 200


def test_nobody_is_deleted(client, administrator, kofi):
    User.objects.filter(pk=administrator.pk).update(is_superuser=True)
    assert client.post(page_of(kofi, "delete"), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=kofi.pk).exists()


def test_administrators_make_no_superusers(client, administrator, kofi):
    form = {
        "username": "kofi",
        "is_superuser": "on",
        "is_active": "on",
        "time_zone": "UTC",
        "theme": "system",
    }
    assert client.post(page_of(kofi), form).status_code == 302
    kofi.refresh_from_db()
    assert not kofi.is_superuser


def test_administrators_change_no_superuser(client, administrator):
    chief = User.objects.create_superuser("chief", password="pw")
    assert client.post(page_of(chief), {"username": "mine"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[chief.pk])
    form = {"password1": "n3w horse!", "password2": "n3w horse!"}
    assert client.post(password, form).status_code == 403


def test_the_administration_has_no_sign_in_of_its_own(client, kofi):
    answer = client.post("/admin/login/", {"username": "kofi", "password": "pw"})
    assert answer.headers["Location"] == f"{reverse('login')}?next=/admin/"
    assert "_auth_user_id" not in client.session


def test_who_is_no_administrator_is_told_so(client, kofi):
    client.force_login(kofi)
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "Only administrators use the administration." in answer.content.decode()


def test_nobody_changes_the_robot(client, administrator):
    robot = User.objects.robot()
    assert client.post(page_of(robot), {"username": "mine"}).status_code == 403
