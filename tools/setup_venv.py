"""Make .venv with the pinned versions: `python3 tools/setup_venv.py run|dev`. Does nothing when all is there.

Runs on any Python 3 so that one that is too old gets a clear line instead of a traceback; hence the plain syntax.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PIP = "26.3"
OLDEST = (3, 11)


def stop(line):
    sys.stderr.write("hymio: " + line + "\n")
    sys.exit(1)


def check_python():
    have = sys.version_info[:2]
    if have < OLDEST:
        stop(
            "Python %d.%d is too old, 3.11 or newer is needed. If you have one: make PYTHON=python3.11 …"
            % have
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop("this Python has no venv module. On Debian and Ubuntu: apt install python3-venv")
    if not os.access(ROOT, os.W_OK):
        stop("%s cannot be written, so .venv cannot be made there" % ROOT)


def fingerprint(kind):
    digest = hashlib.sha256(("%s %s %s" % (kind, sys.version, ROOT)).encode())
    for name in ("pyproject.toml", "constraints.txt", "tools/firmware-stubs.txt", "tools/stock-firmware.txt"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def call(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    if done.returncode:
        sys.stderr.write(done.stdout.decode("utf-8", "replace")[-3000:] + "\n")
        stop("this step failed: " + " ".join(command[1:]))


def works(python):
    """Whether there is a whole virtual environment: one that was cut off while it was made has no pip."""
    try:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.call([python, "-m", "pip", "--version"], **quiet) == 0
    except OSError:
        return False


def main(kind):
    check_python()
    stamps = {name: os.path.join(VENV, "hymio-" + name) for name in ("run", "dev")}
    python = os.path.join(VENV, "bin", "python")
    for name in {"run": ("dev", "run"), "dev": ("dev",)}[kind]:  # a dev environment can also run
        if os.path.exists(python) and os.path.exists(stamps[name]):
            with open(stamps[name]) as file:
                if file.read() == fingerprint(name):
                    return
    print("hymio: setting up .venv (once, about a minute)")
    if not works(python):
        print("  [1/3] Python %d.%d, new virtual environment" % sys.version_info[:2], flush=True)
        call(sys.executable, "-m", "venv", "--clear", VENV)
    print("  [2/3] pip", flush=True)
    call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip==" + PIP)
    print("  [3/3] pinned packages", flush=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call(*(pip + ["-c", "constraints.txt", "-e", "."] + (["--group", "dev"] if kind == "dev" else [])))
    if kind == "dev":
        for name in ("firmware-stubs", "stock-firmware"):
            folder = os.path.join(VENV, name)
            call(*(pip + ["--no-deps", "--upgrade", "--target", folder, "-r", "tools/%s.txt" % name]))
    with open(stamps[kind], "w") as file:
        file.write(fingerprint(kind))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        stop("stopped; the next call goes on")
