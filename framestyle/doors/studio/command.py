"""`framestyle studio`: the page, served on this machine."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from framestyle.doors.options import add_debug, add_flag
from framestyle.errors import DeviceError, InputError, OutputError, UsageError, WeightsError

PORT = 8787
PASSWORD = "FRAMESTYLE_STUDIO_PASSWORD"
EXAMPLES = """examples:
  framestyle studio --open
  framestyle studio --root ~/Pictures --port 9000
"""
OTHERS = """\
Everyone who can reach this machine and knows the password can see and upload pictures below {root},
and use this machine to paint. What passes is not encrypted: on a network that you do not trust, leave
--host alone and reach the studio by `ssh -L {port}:127.0.0.1:{port} THIS-MACHINE`.
"""


def add_studio(parser: argparse.ArgumentParser) -> None:
    """The `studio` command."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder whose pictures it shows; it reads and writes nowhere else (default: this one)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=None,
        metavar="N",
        help=f"default: {PORT}, or a free one where that is taken",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help=f"another address than the loopback needs a password in {PASSWORD}",
    )
    add_flag(parser, "--open", "open the page in the browser")
    parser.add_argument("--weights", default="auto", metavar="W", help="as for stylize (default: auto)")
    parser.add_argument("--device", default="auto", metavar="DEV", help="as for stylize (default: auto)")
    add_debug(parser)
    parser.set_defaults(run=run_studio)


def run_studio(args: argparse.Namespace) -> int:
    """`framestyle studio`: until Ctrl-C."""
    _check_extra()
    from framestyle.doors.studio.server import serve
    from framestyle.doors.studio.settings import Settings, is_loopback

    root = _root(args.root)
    password = os.environ.get(PASSWORD) or None
    if is_loopback(args.host):
        password = None
    elif password is None:
        raise UsageError(
            f"--host {args.host} lets others in, and there is no password",
            next_step=f"Set one in {PASSWORD}; or leave --host alone, and use ssh -L.",
        )
    _check_painting(args.weights, args.device)
    listening = _listening(args.host, args.port)
    with listening:
        settings = Settings(
            root,
            args.host,
            listening.getsockname()[1],
            password,
            weights=args.weights,
            device=args.device,
        )
        key = f"/?token={settings.token}" if password is None else "/"
        if password is not None:
            print(OTHERS.format(root=root, port=settings.port), file=sys.stderr)
        print(
            f"The studio of {root}:\n  {settings.address}{key}\nCtrl-C ends it; its queue is kept.",
            flush=True,
        )
        serve(settings, listening, open_page=settings.address + key if args.open else None)
    return 0


def _check_extra() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the studio needs {' and '.join(missing)}, which come with an extra",
            next_step='Install it: pip install "framestyle[studio]"',
        )


def _check_painting(weights: str, device: str) -> None:
    """WeightsError or DeviceError now, and not at the first preview.

    Asked of a dry run, in a process of its own: this one loads no torch.
    """
    if weights in ("auto", "untrained") and device in ("auto", "cpu"):
        return
    from framestyle.doors.demo import samples_dir

    photo = samples_dir() / "photos" / "harbour.jpg"
    with tempfile.TemporaryDirectory() as folder:
        asked = ["stylize", str(photo), "-o", str(Path(folder) / "o.jpg"), "-p", "wave", "--dry-run"]
        options = ["--progress", "json", "--weights", weights, "--device", device]
        done = subprocess.run(
            [sys.executable, "-m", "framestyle", *asked, *options],
            capture_output=True,
            text=True,
            check=False,
        )
    errors = {error.exit_code: error for error in (UsageError, WeightsError, DeviceError)}
    if done.returncode in errors:
        lines = (json.loads(line) for line in done.stderr.splitlines() if line.startswith("{"))
        said = next(line for line in lines if line["event"] == "failed")
        raise errors[done.returncode](said["message"], next_step=said["next_step"])


def _root(written: Path) -> Path:
    try:
        root = written.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"there is no folder at {written}", next_step="Check --root.") from error
    if not root.is_dir():
        raise InputError(f"{root} is no folder", next_step="Check --root.")
    try:
        os.fspath(root).encode()
    except UnicodeError as error:
        raise InputError(
            f"the name of {root} is no UTF-8, and cannot be shown in a page",
            next_step="Rename the folder, or choose another --root.",
        ) from error
    return root


def _listening(host: str, port: int | None) -> socket.socket:
    """A bound socket: an address that is taken is told before anything begins."""
    wanted = [PORT, 0] if port is None else [port]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in wanted:
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, number))
            return bound
        except (OSError, OverflowError) as error:
            bound.close()
            cause = error
    raise OutputError(
        f"nothing can listen on {host}:{wanted[-1]}: {getattr(cause, 'strerror', None) or cause}",
        next_step="Choose another --port.",
    )
