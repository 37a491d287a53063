import pytest

from releasemgr.accounts.models import User
from releasemgr.ui.paging import LAST_PAGE, page_number, paginate

GARBAGE = [None, "", "0", "-1", "x", "1.5", "²", "٣", " 2", "2 ", "1e3", "\0", "NaN"]


@pytest.mark.parametrize("text", GARBAGE)
def test_whatever_is_no_page_number_means_the_first_page(text):
    assert page_number(text) == 1


@pytest.mark.parametrize("text", ["2001", "9" * 30, "9" * 10_000])
def test_a_page_number_beyond_the_last_is_the_last(text):
    assert page_number(text) == LAST_PAGE


def people(count):
    User.objects.bulk_create(User(username=f"p{number:03}") for number in range(count))
    return User.objects.filter(username__startswith="p").order_by("username")


@pytest.mark.django_db
def test_a_page_knows_its_rows_and_whether_another_follows():
    page = paginate(people(5), "1", size=2)
    assert [user.username for user in page] == ["p000", "p001"]
    assert (page.has_previous, page.has_next) == (False, True)
    assert (page.first_row, page.last_row) == (1, 2)


@pytest.mark.django_db
def test_the_last_page_is_followed_by_none():
    page = paginate(people(5), "3", size=2)
    assert [user.username for user in page] == ["p004"]
    assert (page.has_previous, page.has_next, page.last_row) == (True, False, 5)


@pytest.mark.django_db
def test_a_page_that_is_exactly_full_is_followed_by_none():
    assert not paginate(people(2), "1", size=2).has_next


@pytest.mark.django_db
def test_a_page_past_the_end_is_empty():
    assert len(paginate(people(2), "7", size=2)) == 0


@pytest.mark.django_db
def test_one_query_makes_a_page(django_assert_num_queries):
    rows = people(5)
    with django_assert_num_queries(1):
        list(paginate(rows, "2", size=2))
