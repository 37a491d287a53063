"""Jenkins, GitHub Actions, GitLab and AWX in one small HTTP server that keeps to their documents.

It is ours, not theirs: it knows the few addresses that the executors use, with the methods,
headers, statuses and fields that these documents name, and nothing else:

* Jenkins: the remote access API (``buildWithParameters`` answers 201 with the queue item in
  ``Location``; the item names its ``executable``; ``crumbIssuer``; ``progressiveText``);
* GitHub: REST API, workflow dispatches (204, or 200 with ``return_run_details``), runs and jobs;
* GitLab: pipelines API v4 (``POST …/pipeline`` 201, ``…/variables``, ``…/jobs``);
* AWX: API v2 (``…/launch/`` 201, ``…/jobs/``, ``…/stdout/``).

``ending`` says how what is started will end, after it was asked about ``patience`` times.
"""

import base64
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "t0ken"
#: The same four endings in each tool's own word.
WORDS = {
    "jenkins": {"success": "SUCCESS", "failure": "FAILURE", "cancelled": "ABORTED"},
    "github": {"success": "success", "failure": "failure", "cancelled": "cancelled"},
    "gitlab": {"success": "success", "failure": "failed", "cancelled": "canceled"},
    "awx": {"success": "successful", "failure": "failed", "cancelled": "canceled"},
}


class Tools(ThreadingHTTPServer):
    """``builds`` holds what was started; the other attributes are how it behaves."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.builds = []
        self.posts = []
        self.ending = "success"
        self.patience = 2
        #: Answers with which the next calls are refused, as ``(status, headers)``.
        self.refusals = []
        self.refuses_only_posts = False
        #: Refuses only questions about something that was started.
        self.failing_reads = 0
        self.drops_after_start = False
        self.wants_crumb = False
        self.cancels_in_queue = False
        self.knows_return_run_details = True
        self.prompts_for_variables = True
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def name(self):
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self):
        return f"http://{self.name}"

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """A caller that hangs up is what some tests are about."""

    def begin(self, tool, variables):
        build = {
            "id": len(self.builds) + 1,
            "tool": tool,
            "variables": variables,
            "ending": self.ending,
            "asked": 0,
        }
        self.builds.append(build)
        return build

    def ended(self, build):
        """The tool's word for its ending; nothing while it goes on."""
        build["asked"] += 1
        if build["ending"] == "hang" or build["asked"] <= self.patience:
            return None
        return WORDS[build["tool"]][build["ending"]]


ROUTES = []


def route(method, pattern):
    """What answers to a method and a path."""

    def add(function):
        ROUTES.append((method, re.compile(pattern), function))
        return function

    return add


class _Handler(BaseHTTPRequestHandler):
    def respond(self):
        server, parts = self.server, urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with server.lock:
            if self.command == "POST":
                server.posts.append((parts.path, dict(self.headers), self.body))
            if server.refusals and (self.command == "POST" or not server.refuses_only_posts):
                status, headers = server.refusals.pop(0)
                return self.send(status, {"message": "Refused."}, headers)
            for method, pattern, function in ROUTES:
                found = pattern.fullmatch(parts.path)
                if method == self.command and found:
                    return function(self, server, *map(unquote, found.groups()))
        return self.send(404, {"message": "Not Found"})

    def send(self, status, value=None, headers=(), text=None):
        body = text.encode() if text is not None else json.dumps(value).encode()
        self.send_response(status)
        for name, content in dict(headers).items():
            self.send_header(name, content)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def started(self, status, value=None, headers=()):
        if self.server.drops_after_start:
            self.close_connection = True
            self.connection.close()
        else:
            self.send(status, value, headers)

    def is_known(self, header, value):
        if self.headers.get(header) == value:
            return True
        self.send(401, {"message": "Bad credentials"})
        return False

    def may_read(self):
        if not self.server.failing_reads:
            return True
        self.server.failing_reads -= 1
        self.send(502, {"message": "Bad gateway"})
        return False

    do_GET = do_POST = respond  # noqa: N815 -- http.server's names

    def log_message(self, *args):
        pass


# --- Jenkins --------------------------------------------------------------------------------------

BASIC = "Basic " + base64.b64encode(f"rm:{TOKEN}".encode()).decode()
JOB = "/job/shop/job/deploy"


def parameters_of(build):
    pairs = [{"name": name, "value": value} for name, value in build["variables"].items()]
    return [{}, {"parameters": pairs}]


@route("GET", "/crumbIssuer/api/json")
def crumb(call, server):
    if not server.wants_crumb:
        return call.send(404, {})
    found = {"crumb": "c0", "crumbRequestField": "Jenkins-Crumb"}
    return call.send(200, found, {"Set-Cookie": "JSESSIONID=s0; Path=/; HttpOnly"})


@route("POST", f"{JOB}/buildWithParameters")
def queue_build(call, server):
    if not call.is_known("Authorization", BASIC):
        return None
    with_crumb = call.headers.get("Jenkins-Crumb") == "c0" and "s0" in call.headers["Cookie"]
    if server.wants_crumb and not with_crumb:
        return call.send(403, text="No valid crumb was included in the request")
    variables = {name: values[0] for name, values in parse_qs(call.body).items()}
    build = server.begin("jenkins", variables)
    return call.started(201, {}, {"Location": f"{server.url}/queue/item/{build['id']}/"})


@route("GET", "/queue/api/json")
def queue(call, server):
    return call.send(200, {"items": []})


@route("GET", r"/queue/item/(\d+)/api/json")
def queue_item(call, server, pk):
    build = server.builds[int(pk) - 1]
    build["asked"] += 1
    if server.cancels_in_queue:
        return call.send(200, {"cancelled": True, "why": None})
    if build["asked"] == 1:
        return call.send(200, {"why": "Waiting for next available executor"})
    return call.send(200, {"executable": {"number": int(pk)}})


@route("GET", f"{JOB}/api/json")
def latest_builds(call, server):
    rows = [{"number": b["id"], "actions": parameters_of(b)} for b in reversed(server.builds)]
    return call.send(200, {"builds": rows})


@route("GET", rf"{JOB}/(\d+)/api/json")
def jenkins_build(call, server, pk):
    if call.may_read():
        result = server.ended(server.builds[int(pk) - 1])
        call.send(200, {"building": result is None, "result": result})


@route("GET", rf"{JOB}/(\d+)/logText/progressiveText")
def console(call, server, pk):
    text = "Deploying\nDone\n"[int(call.query["start"]) :]
    return call.send(200, text=text, headers={"X-Text-Size": "15"})


# --- GitHub ---------------------------------------------------------------------------------------

REPOSITORY = "/repos/shop/api/actions"
BEARER = f"Bearer {TOKEN}"


def run_of(server, build):
    conclusion = server.ended(build)
    return {
        "id": build["id"],
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "display_title": f"Deploy ({build['variables'].get('rm_key', '')})",
        "html_url": f"{server.url}/shop/api/actions/runs/{build['id']}",
    }


@route("POST", f"{REPOSITORY}/workflows/deploy.yml/dispatches")
def dispatch(call, server):
    if not call.is_known("Authorization", BEARER):
        return None
    order = json.loads(call.body)
    if "return_run_details" in order and not server.knows_return_run_details:
        words = '"return_run_details" is not a permitted key.'
        return call.send(422, {"message": f"Invalid request.\n\n{words}"})
    build = server.begin("github", order["inputs"])
    if not order.get("return_run_details"):
        return call.started(204)
    address = f"{server.url}{REPOSITORY}/runs/{build['id']}"
    details = {"workflow_run_id": build["id"], "run_url": address}
    return call.started(200, details | {"html_url": run_of(server, build)["html_url"]})


@route("GET", f"{REPOSITORY}/workflows/deploy.yml/runs")
def runs(call, server):
    first = (int(call.query["page"]) - 1) * int(call.query["per_page"])
    rows = [run_of(server, build) for build in reversed(server.builds)]
    shown = rows[first : first + int(call.query["per_page"])]
    return call.send(200, {"total_count": len(rows), "workflow_runs": shown})


@route("GET", rf"{REPOSITORY}/runs/(\d+)")
def github_run(call, server, pk):
    if call.may_read():
        call.send(200, run_of(server, server.builds[int(pk) - 1]))


@route("GET", rf"{REPOSITORY}/runs/(\d+)/jobs")
def github_jobs(call, server, pk):
    return call.send(200, {"total_count": 1, "jobs": [{"name": "Done", "conclusion": "success"}]})


# --- GitLab ---------------------------------------------------------------------------------------

PROJECT = "/api/v4/projects/shop%2Fapi"


def pipeline_of(server, build):
    status = server.ended(build) or "running"
    link = f"{server.url}/shop/api/-/pipelines/{build['id']}"
    return {"id": build["id"], "status": status, "web_url": link}


@route("POST", f"{PROJECT}/pipeline")
def create_pipeline(call, server):
    if call.is_known("PRIVATE-TOKEN", TOKEN):
        order = json.loads(call.body)
        variables = {entry["key"]: entry["value"] for entry in order["variables"]}
        build = server.begin("gitlab", variables)
        call.started(201, pipeline_of(server, build))


@route("GET", f"{PROJECT}/pipelines")
def pipelines(call, server):
    return call.send(200, [pipeline_of(server, build) for build in reversed(server.builds)])


@route("GET", rf"{PROJECT}/pipelines/(\d+)/variables")
def pipeline_variables(call, server, pk):
    given = server.builds[int(pk) - 1]["variables"]
    return call.send(200, [{"key": name, "value": value} for name, value in given.items()])


@route("GET", rf"{PROJECT}/pipelines/(\d+)/jobs")
def pipeline_jobs(call, server, pk):
    return call.send(200, [{"stage": "deploy", "name": "Done", "status": "success"}])


@route("GET", rf"{PROJECT}/pipelines/(\d+)")
def gitlab_pipeline(call, server, pk):
    if call.may_read():
        call.send(200, pipeline_of(server, server.builds[int(pk) - 1]))


# --- AWX ------------------------------------------------------------------------------------------

TEMPLATE = "/api/v2/job_templates/7"


@route("GET", f"{TEMPLATE}/launch/")
def what_it_asks(call, server):
    if call.is_known("Authorization", BEARER):
        asks = {"ask_variables_on_launch": server.prompts_for_variables, "survey_enabled": False}
        call.send(200, asks)


@route("POST", f"{TEMPLATE}/launch/")
def launch(call, server):
    if call.is_known("Authorization", BEARER):
        build = server.begin("awx", json.loads(call.body).get("extra_vars", {}))
        call.started(201, {"job": build["id"], "id": build["id"], "ignored_fields": {}})


@route("GET", f"{TEMPLATE}/jobs/")
def jobs_of_template(call, server):
    rows = [
        {"id": build["id"], "extra_vars": json.dumps(build["variables"])}
        for build in reversed(server.builds)
    ]
    return call.send(200, {"count": len(rows), "next": None, "results": rows})


@route("GET", r"/api/v2/jobs/(\d+)/")
def awx_job(call, server, pk):
    if call.may_read():
        status = server.ended(server.builds[int(pk) - 1]) or "running"
        call.send(200, {"id": int(pk), "status": status, "job_explanation": ""})


@route("GET", r"/api/v2/jobs/(\d+)/stdout/")
def awx_output(call, server, pk):
    return call.send(200, text="PLAY RECAP\nDone\n")


@contextmanager
def tools_at_work():
    tools = Tools()
    try:
        yield tools
    finally:
        tools.close()
