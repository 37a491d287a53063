from django.urls import path

from releasemgr.workflow.views import blockers_json, take_step
from turnovers.models import FreezeException, Hold, Run, TaskRun, Turnover
from turnovers.views import callbacks, exceptions, holds, runs, tasks, turnovers

app_name = "turnovers"

urlpatterns = [
    path(
        "turnovers/TO-<int:turnover_pk>/freezes/<int:pk>/exception/",
        exceptions.exception_new,
        name="freeze-exception-new",
    ),
    path(
        "releases/AR-<int:release_pk>/freezes/<int:pk>/exception/",
        exceptions.release_exception_new,
        name="release-exception-new",
    ),
    path("exceptions/<int:pk>/", exceptions.exception_page, name="freeze-exception"),
    path(
        "exceptions/<int:pk>/blockers.json",
        blockers_json,
        {"model": FreezeException},
        name="freezeexception-blockers",
    ),
    path(
        "exceptions/<int:pk>/steps/<slug:name>/",
        take_step,
        {"model": FreezeException},
        name="freezeexception-step",
    ),
    path("turnovers/", turnovers.turnover_list, name="list"),
    path("turnovers/new/", turnovers.turnover_new, name="new"),
    path("turnovers/TO-<int:pk>/", turnovers.turnover_detail, name="detail"),
    path(
        "turnovers/TO-<int:pk>/blockers.json",
        blockers_json,
        {"model": Turnover},
        name="turnover-blockers",
    ),
    path("turnovers/TO-<int:pk>/edit/", turnovers.turnover_edit, name="edit"),
    path("turnovers/TO-<int:pk>/tasks/new/", tasks.task_new, name="task-new"),
    path("turnovers/TO-<int:pk>/tasks/order/", tasks.task_order, name="task-order"),
    path("turnovers/TO-<int:pk>/tasks/copy/", tasks.copy_tasks, name="copy-tasks"),
    path("turnovers/TO-<int:turnover_pk>/tasks/<int:pk>/", tasks.task, name="task"),
    path(
        "turnovers/TO-<int:turnover_pk>/tasks/<int:pk>/remove/",
        tasks.task_remove,
        name="task-remove",
    ),
    path(
        "turnovers/TO-<int:turnover_pk>/tasks/<int:pk>/put-back/",
        tasks.task_restore,
        name="task-restore",
    ),
    path(
        "turnovers/TO-<int:pk>/contents/refresh/",
        turnovers.contents_refresh,
        name="contents-refresh",
    ),
    path(
        "turnovers/TO-<int:turnover_pk>/contents/<int:pk>/",
        turnovers.content_edit,
        name="content",
    ),
    path(
        "turnovers/TO-<int:turnover_pk>/contents/<int:pk>/leave-out/",
        turnovers.content_remove,
        name="content-remove",
    ),
    path("turnovers/TO-<int:pk>/work/change/", turnovers.work_change, name="work-change"),
    path("turnovers/TO-<int:pk>/<slug:tab>/", turnovers.turnover_tab, name="tab"),
    path("runs/<int:pk>/", runs.run_page, name="run"),
    path("runs/<int:pk>/live/", runs.run_live, name="run-live"),
    path("hooks/<str:token>/", callbacks.callback, name="callback"),
    path("runs/<int:pk>/events/", runs.run_events, name="run-events"),
    path("runs/<int:pk>/say/", runs.run_say, name="run-say"),
    path("runs/<int:pk>/text/", runs.run_text, name="run-text"),
    path("runs/<int:pk>/review/", runs.run_review, name="run-review"),
    path("runs/<int:pk>/review/actions/new/", runs.action_new, name="action-new"),
    path("runs/actions/<int:pk>/", runs.action_edit, name="action"),
    path("runs/actions/<int:pk>/done/", runs.action_done, name="action-done"),
    path(
        "runs/tasks/<int:pk>/blockers.json",
        blockers_json,
        {"model": TaskRun},
        name="taskrun-blockers",
    ),
    path("runs/tasks/<int:pk>/log/", runs.task_log, name="task-log"),
    path("holds/", holds.hold_list, name="holds"),
    path("holds/new/", holds.hold_new, name="hold-new"),
    path("holds/<int:pk>/", holds.hold_detail, name="hold"),
    path(
        "turnovers/TO-<int:pk>/steps/<slug:name>/",
        take_step,
        {"model": Turnover},
        name="turnover-step",
    ),
    path("runs/<int:pk>/steps/<slug:name>/", take_step, {"model": Run}, name="run-step"),
    path(
        "runs/tasks/<int:pk>/steps/<slug:name>/",
        take_step,
        {"model": TaskRun},
        name="taskrun-step",
    ),
    path("holds/<int:pk>/steps/<slug:name>/", take_step, {"model": Hold}, name="hold-step"),
]
