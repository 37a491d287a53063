"""Places on trains, and application releases: each step as people take it, and refused."""

import pytest

from tests.e2e.browser import ASKED_WHY
from tests.e2e.stage import person

pytestmark = pytest.mark.e2e


@pytest.mark.drives("boarding.accept", "boarding.reject", "boarding.leave", "boarding.postpone")
def test_a_place_is_given_by_somebody_else_and_left_with_a_reason(cast, stage):
    train = stage.train("Oak")
    later = stage.train("Oak Later")
    wanted = stage.release(None, "oak-app")
    own = stage.make(
        "Boarding",
        train=train,
        release=stage.release(None, "oak-own"),
        requested_by=person("manager"),
        state="requested",
    )
    manager, owner = cast.manager, cast.owner
    owner.go(f"{train.url}releases/")
    owner.follow("Ask for a place")
    with cast.nothing_changes(owner, manager):
        assert owner.press("Ask for a place") == 422
        owner.sees("There is a problem")
        manager.is_forbidden(own.step("accept"), "not a release of their own")
    owner.choose("Application release", "oak-app")
    assert owner.press("Ask for a place") == 303

    tab = f"{train.url}releases/"
    with cast.nothing_changes(manager):
        manager.go(tab)
        assert manager.take_here("Reject", within=manager.row("oak-app 1.0")) == 422
        manager.sees(ASKED_WHY)
    manager.go(tab)
    reason = "Not before it is signed."
    assert manager.take_here("Reject", within=manager.row("oak-app 1.0"), reason=reason) == 303
    manager.sees("oak-app 1.0 on Oak: Rejected.")
    place = stage.make(
        "Boarding", train=train, release=wanted, requested_by=person("owner"), state="requested"
    )
    manager.go(place.url)
    requested = manager.row("Requested, asked for by Pio Lanz")
    assert manager.take_here("Accept", within=requested) == 303
    manager.sees("oak-app 1.0 on Oak: Aboard.")

    with cast.nothing_changes(owner):
        owner.go(place.step("leave"))
        assert owner.press("Take off") == 422
        owner.sees(ASKED_WHY)
        owner.go(place.step("postpone"))
        owner.field("Reason").fill("Not ready.")
        assert owner.press("Postpone") == 422
        owner.sees("Train: This field is required.")
    owner.choose("Train", "Oak Later")
    assert owner.press("Postpone") == 303
    owner.sees("postponed to")
    later_place = stage.find("trains.Boarding", train=later)
    owner.go(later_place.step("leave"))
    owner.field("Reason").fill("Next year.")
    assert owner.press("Take off") == 303
    owner.sees("oak-app 1.0 on Oak Later: Left.")


@pytest.mark.drives(
    "applicationrelease.begin_work",
    "applicationrelease.complete_construction",
    "applicationrelease.resume_work",
    "applicationrelease.close",
    "applicationrelease.cancel",
)
def test_an_application_release_goes_its_way_beside_its_train(cast, stage):
    train = stage.train("Pine")
    release = stage.release(train, "pine-app")
    item = stage.make("WorkItem", release=release, title="Dark mode")
    free = stage.release(None, "pine-free", state="complete")
    owner = cast.owner

    with cast.nothing_changes(owner):
        assert owner.take("Begin work", release.url) == 409
        owner.is_refused("Pine is still in Scoping", "Mara Quist")
        assert owner.take("Cancel release", release.url, reason="No.") == 409
        owner.is_refused("pine-app 1.0 rides Pine", "Taken off the train first.")
    stage.take(train, "start_construction", by="manager")
    assert owner.take("Begin work", release.url) == 303
    owner.sees("pine-app 1.0: Executing.")
    with cast.nothing_changes(owner):
        assert owner.take("Complete construction", release.url) == 409
        owner.is_refused("Dark mode", "Done or deferred.")
    stage.alter(item, state="done")
    assert owner.take("Complete construction", release.url) == 303
    with cast.nothing_changes(owner):
        assert owner.take("Close", release.url) == 409
        owner.is_refused("pine-app 1.0 rides Pine")
        assert owner.take("Resume work", release.url) == 422
        owner.sees(ASKED_WHY)
    assert owner.take("Resume work", release.url, reason="A defect.") == 303
    owner.sees("pine-app 1.0: Executing.")
    assert owner.take("Close", free.url) == 303
    owner.sees("pine-free 1.0: Closed.")
    other = stage.release(None, "pine-other")
    assert owner.take("Cancel release", other.url, reason="Superseded.") == 303
    owner.sees("pine-other 1.0: Cancelled.")
