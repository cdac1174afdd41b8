#!/usr/bin/env python3
"""Start Haetae: `python3 run.py <anything>` is `haetae <anything>` inside the project's own environment.

Here: choosing a Python, building `.venv` from the hashed locks, the environment variables a run
needs, exec. Not here: any command of the product (`src/haetae/cli`). Standard library only, and the
syntax stays valid for Python 3.8 so that an old interpreter gets a message and not a traceback.

An unchanged environment is recognised by a stamp (hash of locks, Python version, platform), written
last: what is not stamped is never run. A larger install (bench > test > demo) serves a smaller need.
# long: one file by purpose, since it runs before anything can be imported from the project.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.abspath(os.environ.get("HAETAE_VENV") or os.path.join(ROOT, ".venv"))
WINDOWS = os.name == "nt"
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if WINDOWS else os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "haetae-stamp.json")
KINDS = ("demo", "full", "test", "bench")  # each lock contains the one before
OLDEST, NEWEST = (3, 11), (3, 13)  # what the locks were resolved for
NEEDED_MB = {"demo": 1900, "full": 2900, "test": 3900, "bench": 3900}  # measured sizes plus the download cache
ENGLISH = os.environ.get("HAETAE_LANG", "").lower().startswith("en")
LAW = (
    "import sys; from importlinter.cli import lint_imports_command as c; sys.argv = ['lint-imports', '--no-cache']; c()"
)
CHECKS = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format --check", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
    ("lint-imports", ["-c", LAW]),
    ("ambient time and dice", [os.path.join("tests", "ambient.py")]),
)
PROOFS = {"zoo": "zoo.prove", "mutate": "mutation.prove"}  # modules under `tests`
USAGE = (
    "python3 run.py demo [--json FILE] [--out DIR]   전체 흐름을 한 번에 (키·인터넷 불필요)\n"
    "python3 run.py test [pytest 인자]                테스트\n"
    "python3 run.py check                             린트·형식·타입·구조 계약\n"
    "python3 run.py zoo | mutate [방]                 심은 버그를 찾는지, 변이를 죽이는지\n"
    "python3 run.py setup [demo|full|test|bench]           환경만 준비\n"
    "python3 run.py <명령> …                          = haetae <명령> …  (HAETAE_LANG=en: English)\n",
    "python3 run.py demo [--json FILE] [--out DIR]   the whole flow in one command (no key, no internet)\n"
    "python3 run.py test [pytest arguments]          the tests\n"
    "python3 run.py check                            lint, format, types, structure contracts\n"
    "python3 run.py setup [demo|full|test|bench]          prepare the environment only\n"
    "python3 run.py <command> …                      = haetae <command> …\n",
)


class SetupError(Exception):
    """The environment cannot be prepared; the parts are (ko, en) pairs, `found` is plain."""

    def __init__(self, what, expected, found, step):
        super().__init__(what[1])
        self.what, self.expected, self.found, self.step = what, expected, found, step

    def text(self):
        pick = int(ENGLISH)
        labels = (("기대", "발견", "다음"), ("expected", "found", "next"))[pick]
        rows = ((labels[0], self.expected[pick]), (labels[1], self.found), (labels[2], self.step[pick]))
        head = ("설치 실패: ", "set-up failed: ")[pick] + self.what[pick]
        return "\n".join([head] + ["  %s: %s" % (label, row) for label, row in rows if row])


def say(ko, en):
    """Tell progress on stderr; stdout belongs to the command."""
    print("[haetae] " + (en if ENGLISH else ko), file=sys.stderr, flush=True)


# ---------------------------------------------------------------- is the environment good as it is


def lock_path(kind):
    return os.path.join(ROOT, "locks", kind + ".txt")


def venv_version():
    """Return the version text of `.venv` from its own record, or "" when there is no usable one."""
    try:
        with open(os.path.join(VENV, "pyvenv.cfg"), encoding="utf-8") as lines:
            rows = [line.split("=", 1) for line in lines if "=" in line]
    except OSError:
        return ""
    values = {name.strip(): value.strip() for name, value in rows}
    version = values.get("version_info") or values.get("version", "")
    return version if os.path.exists(PYTHON) else ""


def digest(kind):
    """Hash what decides the content of an install of this kind: its lock, Python, platform."""
    text = hashlib.sha256("|".join((venv_version(), sys.platform, "" if WINDOWS else os.uname().machine)).encode())
    for each in KINDS[: KINDS.index(kind) + 1]:
        with open(lock_path(each), "rb") as lock:
            text.update(lock.read())
    return text.hexdigest()


def stamps():
    try:
        with open(STAMP, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def is_ready(kind):
    known = stamps()
    if not known or not in_range(venv_version()):
        return False
    return any(known.get(each) == digest(each) for each in KINDS[KINDS.index(kind) :])


def in_range(version):
    numbers = version.split(".")[:2]
    return len(numbers) == 2 and OLDEST <= tuple(int(number) for number in numbers) <= NEWEST


# ---------------------------------------------------------------- which Python, which index


def python_version(path):
    """Ask an interpreter by running it (a shim may exist and fail); "" when it is of no use."""
    probe = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.implementation.name)"
    try:
        done = subprocess.run([path, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.decode("ascii", "replace").split()
    return words[0] if done.returncode == 0 and len(words) == 2 and words[1] == "cpython" else ""


def candidates():
    """Yield interpreters in order of preference: running one, PATH, pyenv's versions."""
    yield getattr(sys, "_base_executable", "") or sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            yield os.path.join(folder, "python3.%d%s" % (minor, ".exe" if WINDOWS else ""))
    versions = os.path.join(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"), "versions")
    for name in sorted(os.listdir(versions), reverse=True) if os.path.isdir(versions) else ():
        if in_range(name):
            yield os.path.join(versions, name, "bin", "python3")


def choose_python():
    wanted = os.environ.get("HAETAE_PYTHON")
    for path in [wanted] if wanted else candidates():
        found = python_version(path) if path and os.path.exists(path) else ""
        if in_range(found):
            return path, found
    running = "%s %s" % (sys.executable, sys.version.split()[0])
    raise SetupError(
        ("쓸 수 있는 Python이 없습니다", "no usable Python"),
        ("Python 3.11, 3.12 또는 3.13 (CPython)", "CPython 3.11, 3.12 or 3.13"),
        "HAETAE_PYTHON=%s" % wanted if wanted else running,
        (
            "Python 3.12를 설치한 뒤 `python3.12 run.py …` 로 실행하거나 HAETAE_PYTHON=경로 를 지정하세요",
            "install Python 3.12 and run `python3.12 run.py …`, or set HAETAE_PYTHON=PATH",
        ),
    )


def pip_settings():
    """Read pip's files and environment; uv knows neither, and a mirror is often named only there."""
    import configparser

    home, merged = os.path.expanduser("~"), {}
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", home + "/.pip/pip.conf", home + "/.config/pip/pip.conf"]
    files += ["/Library/Application Support/pip/pip.conf", home + "/Library/Application Support/pip/pip.conf"]
    files += [os.path.join(os.environ.get("APPDATA", home), "pip", "pip.ini"), os.environ.get("PIP_CONFIG_FILE", "")]
    for section in ("global", "install"):
        for path in files:
            parser = configparser.RawConfigParser()
            try:
                parser.read(path, encoding="utf-8")
            except configparser.Error:
                continue
            merged.update(parser.items(section) if parser.has_section(section) else ())
    for name in ("index-url", "extra-index-url", "find-links", "cert", "trusted-host", "no-index"):
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        merged.update({name: value} if value else {})
    return merged


def uv_environment():
    """Return the environment for uv: pip's settings under uv's names; what the user set for uv wins."""
    env, pip = dict(os.environ), pip_settings()
    extra = pip.get("extra-index-url", "").split()
    wanted = {
        "UV_DEFAULT_INDEX": pip.get("index-url", "") if "UV_INDEX_URL" not in env else "",
        "UV_EXTRA_INDEX_URL": " ".join(extra),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",  # pip's way; the hashes guard the content
        "UV_FIND_LINKS": ",".join(
            link for link in pip.get("find-links", "").split() if "://" in link or os.path.isdir(link)
        ),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else "",
        "SSL_CERT_FILE": pip.get("cert", ""),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_CONFIG": "1",
        "UV_LINK_MODE": "copy" if WINDOWS else "",
    }
    for name, value in wanted.items():
        if value:
            env.setdefault(name, value)
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        env.pop(name, None)
    return env


# ---------------------------------------------------------------- building


def attempt(command, env=None):
    """Run a step, pass its lines on to stderr, return (exit status, output)."""
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=ROOT)
    except OSError as fault:
        return 127, str(fault)
    lines = []
    for raw in child.stdout:
        lines.append(raw.decode("utf-8", "replace").rstrip())
        if not lines[-1].startswith((" + ", " - ", " ~ ", "Requirement already")):
            print("    " + lines[-1], file=sys.stderr, flush=True)
    return child.wait(), "\n".join(lines)


CAUSES = (
    (
        ("no space left", "disk quota"),
        ("디스크가 가득 찼습니다", "the disk is full"),
        ("공간을 비우고 다시 실행하세요", "free some space and run again"),
    ),
    (
        ("permission denied", "read-only file system", "not a directory", "file exists", "operation not permitted"),
        ("쓰기 권한이 없습니다", "no permission to write"),
        (
            "권한을 고치거나 HAETAE_VENV=쓸_수_있는_폴더 를 지정하세요",
            "mend the permission or set HAETAE_VENV=WRITABLE_DIR",
        ),
    ),
    (
        ("hash mismatch", "do not match the hashes", "hashes are required", "couldn't parse", "invalid requirement"),
        ("잠금 파일과 내려받은 내용이 맞지 않습니다", "the lock and what was downloaded do not agree"),
        (
            "`git checkout -- locks` 로 잠금 파일을 되돌리고, 미러를 쓰면 관리자에게 알리세요",
            "restore the locks with `git checkout -- locks`; behind a mirror, tell its owner",
        ),
    ),
    (
        (
            "dns",
            "name resolution",
            "connection",
            "timed out",
            "error sending request",
            "network",
            "proxy",
            "certificate",
            "failed to fetch",
        ),
        ("패키지 색인에 닿지 못했습니다", "the package index cannot be reached"),
        (
            "네트워크·프록시를 확인하거나 PIP_INDEX_URL 로 미러를 지정하세요",
            "check network and proxy, or name a mirror with PIP_INDEX_URL",
        ),
    ),
)


def cause_of(output):
    low = output.lower()
    return next((cause for cause in CAUSES if any(sign in low for sign in cause[0])), None)


def failure(output):
    """Turn the output of a failed step into one message."""
    cause = cause_of(output)
    told = [line.strip() for line in output.splitlines() if line.strip()]
    signs = cause[0] if cause else ("error",)
    found = next((line for line in told if any(sign in line.lower() for sign in signs)), told[-1] if told else "")
    what, step = (
        cause[1:]
        if cause
        else (
            ("패키지를 설치하지 못했습니다", "the packages could not be installed"),
            ("위의 출력을 보고 고친 뒤 다시 실행하세요", "mend what the output above names and run again"),
        )
    )
    return SetupError(
        what, ("locks/ 의 고정된 패키지가 모두 설치됨", "every package of the lock installed"), found[:300], step
    )


def make_venv(python):
    """Create `.venv` without pip (works where ensurepip is missing); leave a mark that it is ours."""
    os.makedirs(VENV, exist_ok=True)
    with open(STAMP, "w", encoding="utf-8") as file:
        json.dump({}, file)
    rc, output = attempt([python, "-m", "venv", "--without-pip", VENV])
    if rc and shutil.which("uv"):
        rc, output = attempt(["uv", "venv", "--allow-existing", "--python", python, VENV], uv_environment())
    if rc:
        raise failure(output)


def find_uv(python):
    """Return a working uv: on PATH, in the environment, or brought there by pip; "" when refused."""
    inside = os.path.join(os.path.dirname(PYTHON), "uv.exe" if WINDOWS else "uv")
    for path in (shutil.which("uv"), inside if os.path.exists(inside) else None):
        if path and subprocess.call([path, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            return path
    rc, _ = pip_install(python, "bootstrap")
    return inside if rc == 0 and os.path.exists(inside) else ""


def pip_install(python, lock):
    """Install a lock with pip: the system's, aimed at `.venv`, else one made inside by ensurepip."""
    rest = ["install", "--retries", "1", "--no-compile", "--disable-pip-version-check", "--progress-bar", "off"]
    rest += ["--require-hashes", "--no-deps", "-r", lock_path(lock)]
    if subprocess.call([python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        return attempt([python, "-m", "pip", "--python", PYTHON, *rest])
    rc, output = attempt([PYTHON, "-m", "ensurepip"])
    if rc:
        raise SetupError(
            ("pip도 ensurepip도 없습니다", "neither pip nor ensurepip is here"),
            ("pip 또는 uv", "pip or uv"),
            output.splitlines()[-1] if output else python,
            ("`apt install python3-pip` 또는 uv를 설치하세요", "install pip (`apt install python3-pip`) or uv"),
        )
    return attempt([PYTHON, "-m", "pip", *rest])


def install(kind, python):
    uv = find_uv(python)
    if uv:
        say("패키지 설치 중 (uv, 잠금 %s)" % kind, "installing packages (uv, lock %s)" % kind)
        command = [uv, "pip", "install", "--python", PYTHON, "--require-hashes", "--no-deps", "-r", lock_path(kind)]
        rc, output = attempt(command, uv_environment())
        if rc == 0:
            return
        if cause_of(output) in CAUSES[:3]:  # pip would fail for the same reason
            raise failure(output)
    say("패키지 설치 중 (pip, 잠금 %s)" % kind, "installing packages (pip, lock %s)" % kind)
    rc, output = pip_install(python, kind)
    if rc:
        raise failure(output)


def prepare_place(kind):
    """Refuse early what would fail late: a foreign `.venv`, no room, no permission."""
    if os.path.isdir(VENV) and os.listdir(VENV) and stamps() is None and not in_range(venv_version()):
        raise SetupError(
            ("이 프로그램이 만들지 않은 .venv 가 있습니다", "there is a .venv that this program did not make"),
            ("Python 3.11–3.13 환경이거나 빈 자리", "an environment of Python 3.11-3.13, or none"),
            "%s (%s)" % (VENV, venv_version() or "-"),
            ("그 폴더를 옮기거나 HAETAE_VENV=다른_폴더 를 지정하세요", "move it away or set HAETAE_VENV=OTHER_DIR"),
        )
    parent = VENV
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    free = shutil.disk_usage(parent).free // 2**20
    if not os.path.exists(PYTHON) and free < NEEDED_MB[kind]:
        raise SetupError(
            ("디스크 공간이 모자랍니다", "not enough disk space"),
            ("%d MB" % NEEDED_MB[kind],) * 2,
            "%d MB (%s)" % (free, parent),
            ("공간을 비우거나 HAETAE_VENV=다른_디스크 를 지정하세요", "free some space or set HAETAE_VENV=OTHER_DISK"),
        )


class Turn:
    """A file lock beside `.venv`: two runs at once build one environment."""

    def __enter__(self):
        os.makedirs(os.path.dirname(VENV), exist_ok=True)
        self.file = open(VENV + ".lock", "a+")
        if WINDOWS:
            import msvcrt

            msvcrt.locking(self.file.fileno(), msvcrt.LK_LOCK, 1)
            return self
        import fcntl

        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(
                "다른 실행이 환경을 준비하는 중입니다. 기다립니다…",
                "another run is preparing the environment; waiting…",
            )
            fcntl.flock(self.file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        self.file.close()


def ensure(kind):
    """Make the environment good for this kind of use, or raise; leave nothing half-made."""
    import signal

    if is_ready(kind):
        return
    if not WINDOWS:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Turn():
        if is_ready(kind):
            return
        prepare_place(kind)
        fresh = not in_range(venv_version())
        finished = False
        try:
            python, version = choose_python() if fresh else (PYTHON, venv_version())
            if fresh:
                say(
                    "환경을 만듭니다: Python %s → %s" % (version, VENV),
                    "making the environment: Python %s → %s" % (version, VENV),
                )
                shutil.rmtree(VENV, ignore_errors=True)
                make_venv(python)
            known = stamps() or {}
            install(kind, python)
            known.update({kind: digest(kind)})
            with open(STAMP + ".new", "w", encoding="utf-8") as file:
                json.dump(known, file)
            os.replace(STAMP + ".new", STAMP)
            finished = True
            compile_loops()
        finally:
            if fresh and not finished and stamps() is not None:
                shutil.rmtree(VENV, ignore_errors=True)
    say("환경 준비 끝", "environment ready")


# ---------------------------------------------------------------- running


def cpu_count():
    """Count the processors this process may use: affinity mask, then the cgroup's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    group = "/"
    try:
        with open("/proc/self/cgroup", encoding="ascii") as rows:
            group = next((row.strip()[3:] for row in rows if row.startswith("0::")), "/")
    except OSError:
        return count
    for name in ("/sys/fs/cgroup" + group.rstrip("/") + "/cpu.max", "/sys/fs/cgroup/cpu.max"):
        try:
            with open(name, encoding="ascii") as file:
                quota, period = file.read().split()
        except (OSError, ValueError):
            continue
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    return count


def libgomp_folder():
    """Return a folder to put on LD_LIBRARY_PATH, or "" when the loader finds libgomp by itself.

    LightGBM's wheels do not carry the OpenMP runtime, scikit-learn's do: a link lends it its copy.
    """
    if not sys.platform.startswith("linux"):
        return ""
    import ctypes
    import glob

    try:
        ctypes.CDLL("libgomp.so.1")
        return ""
    except OSError:
        found = glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages", "scikit_learn.libs", "libgomp-*.so*"))
    if not found:
        return ""
    folder = os.path.join(VENV, "lib", "haetae-libgomp")
    link = os.path.join(folder, "libgomp.so.1")
    if not os.path.exists(link):
        os.makedirs(folder, exist_ok=True)
        fresh = "%s.%d" % (link, os.getpid())
        os.symlink(sorted(found)[0], fresh)
        os.replace(fresh, link)
    return folder


def compiled_folder():
    """Return where numba keeps machine code: a folder named by the source of every compiled file.

    Numba notices a change of the file a compiled loop stands in, not of the functions it calls from
    other files; after an update yesterday's arithmetic would run on.
    """
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(os.path.join(ROOT, "src")):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                with open(os.path.join(folder, name), "rb") as file:
                    source = file.read()
                if b"njit" in source:
                    digest.update(source)
    base = os.path.join(VENV, "compiled")
    mine = digest.hexdigest()[:16]
    try:
        for old in sorted(os.listdir(base), key=lambda name: os.path.getmtime(os.path.join(base, name)))[:-3]:
            if old != mine:
                shutil.rmtree(os.path.join(base, old), ignore_errors=True)
    except OSError:
        pass  # no folder yet, or somebody else is tidying it
    return os.path.join(base, mine)


def run_environment(verb=""):
    """Return the environment of a run; what the user set for threads stands."""
    env = dict(os.environ)
    env.setdefault("OMP_WAIT_POLICY", "passive")  # XGBoost on 2 shared cores: 21 s spinning, 2 s passive
    if verb != "bench":  # a benchmark pins its own threads
        env.setdefault("OMP_NUM_THREADS", str(cpu_count()))
    env.setdefault("NUMBA_CACHE_DIR", compiled_folder())
    env["PYTHONUTF8"] = "1"
    env["PYTHONPATH"] = os.path.join(ROOT, "src")
    if verb in PROOFS:
        env["PYTHONPATH"] += os.pathsep + os.path.join(ROOT, "tests")
    env.pop("PYTHONHOME", None)
    folder = libgomp_folder()
    if folder:
        env["LD_LIBRARY_PATH"] = os.pathsep.join(part for part in (folder, env.get("LD_LIBRARY_PATH", "")) if part)
    return env


def compile_loops():
    """Compile the loops of the backtests once after an install; where that fails, their first use compiles them."""
    say("계산 루프를 컴파일합니다 (한 번)", "compiling the loops (once)")
    rc, output = attempt([PYTHON, "-m", "haetae.wiring.compiled"], run_environment("bench"))
    if rc:
        found = output.strip().splitlines()[-1:] or [""]
        say("컴파일은 첫 실행으로 미룹니다: " + found[0], "left to the first run: " + found[0])


def become(arguments, verb=""):
    """Replace this process, so that exit codes and signals need no passing on."""
    if WINDOWS:
        sys.exit(subprocess.call([PYTHON, *arguments], env=run_environment(verb)))
    sys.stdout.flush()
    os.execve(PYTHON, [PYTHON, *arguments], run_environment(verb))


def check():
    """Run every check even after one fails; the exit status tells whether all passed."""
    failed = []
    for name, command in CHECKS:
        say("검사: " + name, "checking: " + name)
        if subprocess.call([PYTHON, *command], cwd=ROOT, env=run_environment()):
            failed.append(name)
    say(*(("실패: " + ", ".join(failed), "failed: " + ", ".join(failed)) if failed else ("모두 통과", "all passed")))
    return 1 if failed else 0


def workers():
    """Return how the whole suite is spread over processors; whoever asks for a part of it says so himself."""
    return ["-n", str(cpu_count()), "--dist", "loadscope", "--no-loadscope-reorder"] if cpu_count() > 1 else []


def kind_of(verb, rest=()):
    """Return the smallest environment a verb runs in; a language model needs its client wherever it is asked."""
    if verb in ("serve", "dashboard", "llm", "infra", "deploy") or "--serve" in rest or "s3://" in " ".join(rest):
        return "full"
    if verb == "backtest" and {"--png", "--optuna", "optimised"} & set(rest):
        return "full"
    if os.environ.get("HAETAE_LLM_BASE_URL") and verb in ("demo", "trade", "review"):
        return "full"
    return {"test": "test", "check": "test", "zoo": "test", "mutate": "test", "bench": "bench"}.get(verb, "demo")


def main(arguments):
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if verb in ("", "-h", "--help", "help"):
        print(USAGE[int(ENGLISH)], end="", flush=True)
        if verb and is_ready("demo"):
            become(["-m", "haetae.cli.main", "--help"])
        return 0 if verb else 2
    if verb == "setup":
        kind = rest[0] if rest else "demo"
        if kind not in KINDS:
            raise SetupError(
                ("모르는 환경 이름입니다", "unknown kind of environment"),
                (", ".join(KINDS),) * 2,
                kind,
                ("`python3 run.py setup test` 처럼 쓰세요", "for example `python3 run.py setup test`"),
            )
        ensure(kind)
        return 0
    ensure(kind_of(verb, rest))
    if verb == "check":
        return check()
    if verb in PROOFS:
        os.chdir(ROOT)
        become(["-m", PROOFS[verb], *rest], verb)
    if verb == "test":
        os.chdir(ROOT)
        become(["-m", "pytest", *(rest or workers())])
    return become(["-m", "haetae.cli.main", *arguments], verb)


def start():
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return main(sys.argv[1:])
    except SetupError as fault:
        print(fault.text(), file=sys.stderr)
        return 1
    except OSError as fault:
        print(failure("%s: %s" % (type(fault).__name__, fault)).text(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("중단했습니다", "interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(start())
