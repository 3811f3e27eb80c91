"""Importing modules in fresh processes: from each store with the package `rstack`, from the disk, and as the article does."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import measure
from delays import Delay
from serving import served
from works.load import generated, many

TITLE = "Importing from Python"
TARGET = (
    "`import rstack` and opening a source: at most 20 ms over bare Python. 700 modules with published bytecode from Redis "
    "at 0.7 ms: cold at most 1.15 times a local import with .pyc files, warm no slower than local. From DynamoDB at 5 ms "
    "and S3 at 30 ms: at most 1.3 times local plus two round trips. `import django; django.setup()` cold from Redis: at "
    "most 1.2 times local. No request at all for a name that is not in the release."
)

SCRIPTS = Path(__file__).parents[1] / "scripts"
EVERYTHING = "everything"
SETTINGS = """\
SECRET_KEY = "only here"
# Translations are real files, which `materialise=True` is for.
USE_I18N = False
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""
DJANGO = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'; import django; django.setup()"
)
OPEN = "import rstack; rstack.open({url!r}).list()"
INSTALL = "import rstack; rstack.install({url!r}); "
MISSING = """
import socket
def commands():
    with socket.create_connection(({host!r}, {port})) as connection:
        connection.sendall(b"INFO commandstats\\r\\n")
        text = connection.recv(1 << 20).decode()
    lines = [line for line in text.splitlines() if line.startswith("cmdstat_") and not line.startswith("cmdstat_info:")]
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in lines)
import {known}
before = commands()
for number in range(1000):
    try:
        __import__(f"nowhere{{number}}")
    except ModuleNotFoundError:
        pass
print(commands() - before)
"""


def prepare(bench):
    bench.peers.program()
    generated(bench, many(bench))


def run(bench, report):
    setting = Setting(bench)
    good = [start(setting, report), modules(setting, report), django(setting, report), missing(setting, report)]
    report.verdict(all(good))
    setting.close()


def modules_in(bench, folder) -> Path:
    """The generated scripts as packages, and a module that imports all of them."""
    shutil.copytree(generated(bench, many(bench)), folder)
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*.py"))]
    imports = "".join(f"import {'.'.join(name.with_suffix('').parts)}\n" for name in names)
    for package in {name.parent for name in names}:
        # The article knows no package without it.
        (folder / package / "__init__.py").touch()
    (folder / f"{EVERYTHING}.py").write_text(imports)
    return folder


class Setting:
    """An environment with 700 modules and a small Django project, and the same as files with their .pyc."""

    def __init__(self, bench):
        self.bench = bench
        self.rounds = 3 if bench.quick else 9
        self.count = many(bench)
        self.python = bench.peers.rstack()
        self.temporary = tempfile.TemporaryDirectory(prefix="importing-", dir=bench.files)
        self.folder = Path(self.temporary.name)
        self.name, self.bucket = bench.up("import")
        self.table = bench.output(self.name, "RSTACK_TABLE")
        self.http = bench.env["AWS_ENDPOINT_URL"].split("://")[1].strip("/")
        self.redis = bench.env["REDIS_URL"].split("://")[1].strip("/")
        self.env = bench.env | {"PYTHONDONTWRITEBYTECODE": "1"}
        self._caches = 0
        self.modules = modules_in(bench, self.folder / "modules")
        self.shop = self.tree("shop", bench.peers.program())
        (self.shop / "shop").mkdir()
        (self.shop / "shop/__init__.py").touch()
        (self.shop / "shop/settings.py").write_text(SETTINGS)
        self.areas = {tree: f"{self.name}/{tree.name}" for tree in (self.modules, self.shop)}
        for tree, area in self.areas.items():
            plain = "--plain" if tree == self.modules else "--no-plain"
            seed = bench.rstack("seed", tree, "-n", self.name, "--area", area, plain, f"--compile={self.python}")
            measure.run(seed, bench.env)
            subprocess.run([self.python, "-m", "compileall", "-q", "-j0", tree], check=False, stdout=subprocess.DEVNULL)

    def tree(self, name, origin) -> Path:
        return Path(shutil.copytree(origin, self.folder / name, ignore=shutil.ignore_patterns("bin", "complete")))

    def cache(self):
        """A folder that no run has used."""
        self._caches += 1
        return {"RSTACK_CACHE": str(self.folder / f"cache-{self._caches}")}

    def local(self, tree, script):
        env = self.env | {"PYTHONPATH": str(tree)}
        return lambda _: measure.clock([self.python, "-c", script], env, cwd=self.folder)

    def remote(self, url, script, env, cache=None):
        command = [self.python, "-c", INSTALL.format(url=url) + script]
        return lambda _: measure.clock(command, env | (cache or self.cache()), cwd=self.folder)

    def close(self):
        measure.run(self.bench.rstack("down", "-n", self.name, "--yes"), self.bench.env)
        self.temporary.cleanup()


def start(setting, report) -> bool:
    boto3, s3fs = (setting.bench.peers.command(peer, "python") for peer in ("boto3", "s3fs"))
    key = f"{setting.areas[setting.modules]}/{EVERYTHING}.py"
    url = f"redis://{setting.redis}/{setting.areas[setting.modules]}"
    scripts = {
        "bare Python": (setting.python, "pass"),
        "`import rstack`": (setting.python, "import rstack"),
        "`import rstack`, and a source opened": (setting.python, OPEN.format(url=url)),
    }
    others = {
        "redis-py, and a first read": (boto3, f"import redis; redis.from_url('redis://{setting.redis}').get({key!r})"),
        "boto3, an S3 client and a first read": (
            boto3, f"import boto3; boto3.client('s3').get_object(Bucket={setting.bucket!r}, Key={key!r})['Body'].read()"
        ),
        "s3fs, and a first read": (s3fs, f"import s3fs; s3fs.S3FileSystem().cat({setting.bucket + '/' + key!r})"),
    }

    def clock(python, script):
        env = setting.bench.env
        return lambda _: measure.clock([python, "-c", script], env | setting.cache(), cwd=setting.folder)

    ours, beside = ({name: clock(*what) for name, what in group.items()} for group in (scripts, others))
    report.note("Starting, in fresh processes and over loopback, where a round trip takes next to nothing:")
    timed = measure.alternate(ours, setting.rounds, beside)
    report.times(timed, baseline=timed[0].median, unit="ms")
    return timed[2].median - timed[0].median <= 0.020


def modules(setting, report) -> bool:
    area, good = setting.areas[setting.modules], True
    script = f"import {EVERYTHING}"
    python = setting.bench.peers.command("boto3", "python")
    for store, upstream in (("redis", setting.redis), ("dynamodb", setting.http), ("s3", setting.http)):
        with Delay(store, upstream) as delay:
            delay.check()
            place = {"redis": delay.address, "dynamodb": setting.table, "s3": setting.bucket}[store]
            env = setting.env | {"AWS_ENDPOINT_URL": f"http://{delay.address}"}
            url = f"{store}://{place}/{area}"
            tools = {
                "files with .pyc": setting.local(setting.modules, script),
                "rstack, cold, with published bytecode": setting.remote(url, script, env),
                "rstack, warm": setting.remote(url, script, env, setting.cache()),
            }
            beside, served = {}, contextlib.ExitStack()
            if store == "redis":
                article = [python, SCRIPTS / "article.py", f"redis://{delay.address}", area, EVERYTHING]
                beside["the article's way"] = lambda _: measure.clock(article, env, cwd=setting.folder)
            if store == "s3":
                # It knows no store: the same files come from a web server, which is as far away.
                beside = served.enter_context(archive(setting))
            with served:
                local, cold, warm, *_ = timed = measure.alternate(tools, setting.rounds, beside)
            report.note(f"{setting.count} modules from {store}, a round trip of {delay.milliseconds} ms:")
            report.times(timed, baseline=local.median, unit="ms")
            if store == "redis":
                good = good and cold.median <= 1.15 * local.median and warm.median <= local.median
            else:
                good = good and cold.median <= 1.3 * local.median + 2 * delay.milliseconds / 1000
    return good


@contextlib.contextmanager
def archive(setting):
    """httpimport with all modules in one archive. Module by module takes the best part of a minute: another work, `far`."""
    modules, folder = modules_in(setting.bench, setting.folder / "plain"), setting.folder / "served"
    folder.mkdir()
    shutil.move(shutil.make_archive(setting.folder / "archive", "zip", modules), folder)
    with served(folder) as upstream, Delay("s3", upstream) as delay:
        delay.check()
        command = by_http(setting.bench, delay, "archive.zip")
        yield {"httpimport, one archive": lambda _: measure.clock(command, setting.env, cwd=setting.folder)}


def by_http(bench, delay, path) -> list[str]:
    """Imports everything from a web server, with httpimport."""
    python = bench.peers.command("httpimport", "python")
    return [python, str(SCRIPTS / "by_http.py"), f"http://{delay.address}/{path}", EVERYTHING]


def django(setting, report) -> bool:
    with Delay("redis", setting.redis) as delay:
        delay.check()
        url = f"redis://{delay.address}/{setting.areas[setting.shop]}"
        tools = {
            "files with .pyc": setting.local(setting.shop, DJANGO),
            "rstack, cold, with published bytecode": setting.remote(url, DJANGO, setting.env),
            "rstack, warm": setting.remote(url, DJANGO, setting.env, setting.cache()),
        }
        # Its limit is close, and half a second is soon over.
        local, cold, _ = timed = measure.alternate(tools, 2 * setting.rounds)
    report.note(f"`django.setup()` of a small project, from redis, a round trip of {delay.milliseconds} ms:")
    report.times(timed, baseline=local.median, unit="ms")
    return cold.median <= 1.2 * local.median


def missing(setting, report) -> bool:
    host, port = setting.redis.split(":")
    script = MISSING.format(host=host, port=port, known=EVERYTHING)
    url = f"redis://{setting.redis}/{setting.areas[setting.modules]}"
    command = [setting.python, "-c", INSTALL.format(url=url) + script]
    asked = int(measure.run(command, setting.env | setting.cache(), cwd=setting.folder))
    report.note(f"Requests for 1,000 names that the release does not have: {asked}.")
    return asked == 0
