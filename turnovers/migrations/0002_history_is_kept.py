"""History, decisions and attempts are never rewritten: PostgreSQL refuses it by trigger."""

from django.db import migrations

from releasemgr.workflow.keeping import forget, keep

KEPT = [
    "approvals_decision",
    "approvals_historicallevel",
    "approvals_historicalrule",
    "approvals_historicalsignoff",
    "environments_historicalbooking",
    "environments_historicalenvironment",
    "trains_historicalapplication",
    "trains_historicalapplicationrelease",
    "trains_historicalboarding",
    "trains_historicalcriterion",
    "trains_historicaldependency",
    "trains_historicalgate",
    "trains_historicalmilestone",
    "trains_historicalreleasetype",
    "trains_historicalreservation",
    "trains_historicalteam",
    "trains_historicaltrain",
    "trains_historicaltrainengineer",
    "trains_historicalworkitem",
    "turnovers_historicalallowedcommand",
    "turnovers_historicalcontent",
    "turnovers_historicaldeploymenttask",
    "turnovers_historicalhold",
    "turnovers_historicalreviewaction",
    "turnovers_historicalrun",
    "turnovers_historicalsecret",
    "turnovers_historicaltaskrun",
    "turnovers_historicalturnover",
    "turnovers_historicalturnoverwork",
    "turnovers_lateword",
    "turnovers_note",
]
#: An attempt is ended once.
ENDED_ONCE = ["turnovers_attempt"]


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0001_initial"),
        ("environments", "0002_confirmed_bookings_do_not_overlap"),
        ("trains", "0001_initial"),
        ("turnovers", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(keep(KEPT), forget(KEPT)),
        migrations.RunPython(keep(ENDED_ONCE, once="ended_at"), forget(ENDED_ONCE)),
    ]
