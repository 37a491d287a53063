"""History, decisions and attempts are never rewritten: PostgreSQL refuses it by trigger."""

from django.db import migrations

from releasemgr.workflow.keeping import forget, keep

KEPT = [
    "accounts_historicaldeputy",
    "approvals_decision",
    "approvals_historicalcondition",
    "approvals_historicallevel",
    "approvals_historicalpolicy",
    "approvals_historicalrule",
    "approvals_historicalsignoff",
    "environments_historicalbooking",
    "environments_historicalenvironment",
    "trains_historicalapplication",
    "trains_historicalapplicationrelease",
    "trains_historicalboarding",
    "trains_historicalcadence",
    "trains_historicalcadencetrain",
    "trains_historicalcalendar",
    "trains_historicalcriterion",
    "trains_historicaldependency",
    "trains_historicalevidence",
    "trains_historicalgate",
    "trains_historicalholiday",
    "trains_historicallibrarycriterion",
    "trains_historicalmilestone",
    "trains_historicalreleasetype",
    "trains_historicalreservation",
    "trains_historicalteam",
    "trains_historicaltemplate",
    "trains_historicaltemplateversion",
    "trains_historicaltrain",
    "trains_historicaltrainengineer",
    "trains_historicalwaiver",
    "trains_historicalworkitem",
    "trains_plancontent",
    "trains_planversion",
    "trains_templateversion",
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
        ("accounts", "0001_initial"),
        ("approvals", "0001_initial"),
        ("environments", "0002_confirmed_bookings_do_not_overlap"),
        ("trains", "0001_initial"),
        ("turnovers", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(keep(KEPT), forget(KEPT)),
        migrations.RunPython(keep(ENDED_ONCE, once="ended_at"), forget(ENDED_ONCE)),
    ]
