"""Who may use the studio, and how much: each attack is refused, and nothing outside the root is read or written."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from studio_client import Client

from framestyle.doors.studio import limits

JSON = "application/json"


@pytest.fixture
def local(studio: Client) -> str:
    """The Host that is the studio's own."""
    return f"127.0.0.1:{studio.port}"


def cookie(studio: Client) -> str:
    return f"framestyle_studio_{studio.port}={studio.token}"


FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost.evil.example:{port}",
    "[::2]:{port}",
    "",
)


def test_a_foreign_host_is_refused(studio: Client) -> None:
    for host in FOREIGN_HOSTS:
        # A name that was made to lead here (DNS rebinding) brings the token along, and is refused all the same.
        for path in ("/", "/api/studio", "/page/main.js"):
            headers = {"Host": host.format(port=studio.port), "Authorization": f"Bearer {studio.token}"}
            assert studio.raw("GET", path, headers=headers).status == 400


def test_two_hosts_are_refused(studio: Client, local: str) -> None:
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {local}\r\nHost: evil.example\r\n\r\n".encode())
        assert b" 400 " in connection.recv(200).split(b"\r\n")[0]


FOREIGN = {
    "origin": {"Origin": "http://evil.example"},
    "null origin": {"Origin": "null"},
    "other port": {"Origin": "http://127.0.0.1:1"},
    "https of another": {"Origin": "https://evil.example"},
    "cross-site fetch": {"Sec-Fetch-Site": "cross-site"},
    "same-site fetch": {"Sec-Fetch-Site": "same-site"},
    "image of another page": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
    "event source of another page": {"Origin": "http://evil.example", "Accept": "text/event-stream"},
}


@pytest.mark.parametrize(
    "call",
    [
        "GET /api/jobs",
        "GET /api/events?page=a",
        "POST /api/jobs",
        "POST /api/media",
        "DELETE /api/jobs/0",
        "GET /",
    ],
)
def test_another_page_is_refused_even_with_the_cookie(studio: Client, call: str) -> None:
    for attack in FOREIGN:
        method, path = call.split()
        headers = {"Cookie": cookie(studio), "Content-Type": JSON, **FOREIGN[attack]}
        assert studio.raw(method, path, b"{}" if method == "POST" else None, headers).status == 403


FORMS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
)


def test_what_a_form_can_send_is_refused(studio: Client) -> None:
    for kind in FORMS:
        # No Origin, no Sec-Fetch-Site: an old browser's form. The cookie alone does not do.
        body = b"--x\r\nContent-Disposition: form-data; name=f; filename=a.png\r\n\r\nx\r\n--x--\r\n"
        for path in ("/api/jobs", "/api/media", "/api/previews", "/api/queue", "/api/presets/import"):
            headers = {"Cookie": cookie(studio), "Content-Type": kind}
            assert studio.raw("POST", path, body, headers).status == 403
            own = headers | {"Origin": f"http://127.0.0.1:{studio.port}"}
            assert studio.raw("POST", path, body, own).status == 415
        assert studio.get("/api/uploads")["entries"] == [] and studio.get("/api/jobs")["total"] == 0


NO_TOKENS = (
    None,
    "Bearer wrong",
    "Bearer ",
    "Basic {token}",
    "{token}",
)


def test_without_the_token_nothing_is_told(studio: Client) -> None:
    for given in NO_TOKENS:
        headers = {} if given is None else {"Authorization": given.format(token=studio.token)}
        for path in (
            "/api/studio",
            "/api/folders",
            "/api/openapi.json",
            "/api/events?page=a",
            "/page/main.js",
            "/nothing",
        ):
            answer = studio.raw("GET", path, headers=headers)
            assert answer.status == 401 and answer.json["code"] == "token-missing"
        page = studio.raw("GET", "/", headers=headers)
        assert page.status == 401 and studio.token.encode() not in page.body


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address(studio: Client) -> None:
    answer = studio.raw("GET", f"/?token={studio.token}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    said = answer.headers["set-cookie"].lower()
    assert "samesite=strict" in said and "httponly" in said and "path=/" in said
    page = studio.raw("GET", "/", headers={"Cookie": cookie(studio), "Sec-Fetch-Site": "none"})
    assert page.status == 200 and b"FrameStyle" in page.body
    assert studio.raw("GET", "/?token=wrong").status == 401


def test_every_answer_says_what_a_browser_may_do_with_it(studio: Client) -> None:
    for path in ("/", "/api/studio", "/api/nothing", "/page/main.js", "/page/icon.svg"):
        headers = studio.call("GET", path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert (
            "unsafe" not in headers["content-security-policy"]
            and "*" not in headers["content-security-policy"]
        )
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers


OTHER_METHODS = (
    "TRACE",
    "PATCH",
    "OPTIONS",
    "CONNECT",
)


def test_other_methods_are_refused(studio: Client) -> None:
    for method in OTHER_METHODS:
        path = "/api/studio" if method != "CONNECT" else "127.0.0.1:1"
        assert studio.call(method, path).status in (400, 404, 405)


# -- paths -------------------------------------------------------------------------------------------------


WAYS_OUT = (
    "..",
    "../",
    "a/../..",
    "/",
    "/etc",
    "..%2f..%2fetc",
    "%2e%2e",
    "a%00",
    "%00",
    "a\\..\\..",
    ".framestyle-studio",
    "a/.hidden",
    "~",
    "C:/",
    "link",
    "%ff",
    "a" * 5000,
)


def test_no_folder_leads_out_of_the_root(studio: Client, root: Path) -> None:
    (root / "a" / ".hidden").mkdir(parents=True)
    (root / "link").symlink_to("/etc")
    for path in WAYS_OUT:
        answer = studio.call("GET", f"/api/folders?path={path.replace(chr(92), '%5c')}")
        assert answer.status == 404 and answer.json["code"] == "not-found"


def test_links_that_lead_out_are_not_there(studio: Client, root: Path, sample: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(sample.read_bytes())
    (root / "file.jpg").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    assert studio.get("/api/folders")["entries"] == []
    # A file that was good when it was listed, and is a link now.
    (root / "good.jpg").write_bytes(sample.read_bytes())
    media = studio.get("/api/folders")["entries"][0]["media"]["id"]
    (root / "good.jpg").unlink()
    (root / "good.jpg").symlink_to(secret)
    for call in ("", "/file", "/picture", "/recipe"):
        assert studio.call("GET", f"/api/media/{media}{call}").status == 404
    look = {"preset": "quick"}
    assert studio.call("POST", "/api/jobs", {"inputs": [media], "look": look}).status == 404


NO_FILES = (
    "../main.js",
    "..%2fapp.py",
    "%2e%2e/app.py",
    "__init__.py",
    "main.js%00",
    "",
    "/etc/passwd",
)


def test_the_page_has_its_own_files_alone(studio: Client) -> None:
    for name in NO_FILES:
        assert studio.call("GET", f"/page/{name}").status == 404


NO_NAMES = (
    "../../escape",
    "/tmp/escape",
    "a/b",
    ".hidden",
    "a\0b",
    "",
    "x" * 300,
    "-p",
)


def test_presets_have_plain_names(studio: Client) -> None:
    for name in NO_NAMES:
        for method, body in (("GET", None), ("PUT", {"look": {"preset": "quick"}}), ("DELETE", None)):
            assert studio.call(method, f"/api/presets/{quote(name, safe='')}", body).status in (
                404,
                405,
                422,
                403,
            )
        look = {"look": {"preset": name}, "picture": "0" * 24}
        wanted = studio.call("POST", "/api/previews", {"page": "a", "wanted": [look]})
        assert wanted.status == 422 or wanted.json[0]["state"] == "failed"


OUTSIDE = (
    "extends: ../../secret.yaml\n",
    "extends: /etc/passwd\n",
    "extends: quick\nstyle: {mask: /etc}\n",
    "extends: quick\nstyle: {images: [{path: /etc/hostname}]}\n",
    "extends: quick\nstyle: {images: [{path: ../../../etc/hostname}]}\n",
    "extends: quick\noptimizer: {init: /etc/hostname}\n",
    "extends: quick\noptimizer: {init: ~/x.png}\n",
)


def test_a_preset_names_nothing_outside(studio: Client) -> None:
    for yaml in OUTSIDE:
        faults = studio.post("/api/presets/check", {"yaml": f"schema: 1\n{yaml}"})["faults"]
        said = " ".join(fault["message"] for fault in faults)
        # Whether there is such a file is not told either.
        assert faults[0]["line"] and ("must lie in" in said or "a path is not taken" in said)
        assert studio.call("PUT", "/api/presets/bad", {"yaml": f"schema: 1\n{yaml}"}).status == 422
        wanted = {"page": "a", "wanted": [{"picture": "0" * 24, "look": {"yaml": yaml}}]}
        assert studio.post("/api/previews", wanted)[0]["state"] == "failed"


NO_SETTINGS = (
    {"style.images": "/etc/hostname"},
    {"style.images.0.path": "/etc/hostname"},
    {"style.mask": "/etc"},
    {"optimizer.init": "/etc/hostname"},
    {"style": "x"},
    {"extends": "wave"},
    {"a b": 1},
    {"": 1},
)


def test_a_setting_names_no_picture(studio: Client, in_folder: object, photo: Path) -> None:
    for settings in NO_SETTINGS:
        media = studio.get("/api/folders")["entries"][0]["media"]["id"]
        body = {"inputs": [media], "look": {"preset": "quick", "settings": settings}}
        assert studio.call("POST", "/api/jobs", body).status == 422
        assert studio.get("/api/jobs")["total"] == 0


def test_an_alias_bomb_is_a_fault_in_its_line(studio: Client) -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(20))
    faults = studio.post("/api/presets/check", {"yaml": bomb})["faults"]
    assert any("not allowed" in fault["message"] and fault["line"] for fault in faults)


# -- sizes and speeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/media", "application/octet-stream"),
        ("/api/jobs", JSON),
        ("/api/presets/import", "application/zip"),
        ("/login", "text/plain"),
    ],
)
def test_a_hundred_gigabytes_are_refused_before_they_come(
    studio: Client, local: str, path: str, kind: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: {local}\r\nAuthorization: Bearer {studio.token}\r\nContent-Type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.sendall(f"{head}Content-Length: {100 << 30}\r\n\r\n".encode())
        assert b" 413 " in connection.recv(200).split(b"\r\n")[0]


def test_a_body_without_a_length_is_counted(studio: Client, local: str) -> None:
    head = f"POST /api/jobs HTTP/1.1\r\nHost: {local}\r\nAuthorization: Bearer {studio.token}\r\n"
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.sendall(f"{head}Content-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        answer = b""
        connection.settimeout(10)
        try:
            for _ in range(limits.JSON_BYTES // 0x10000 + 2):
                connection.sendall(piece)
            answer = connection.recv(200)
        except ConnectionError:
            answer = b"HTTP/1.1 413 cut off"
        assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_head_that_is_too_long_is_refused(studio: Client, local: str) -> None:
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.sendall(
            f"GET / HTTP/1.1\r\nHost: {local}\r\nX: {'x' * (limits.HEADER_BYTES * 2)}".encode()
        )
        assert b" 400 " in connection.recv(200).split(b"\r\n")[0]


def test_a_slow_head_is_cut_off_and_the_others_are_served(
    studio: Client, local: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framestyle.doors.studio import patience

    monkeypatch.setattr(patience, "HEADER_S", 1.0)
    slow = [socket.create_connection(("127.0.0.1", studio.port)) for _ in range(limits.CONNECTIONS + 40)]
    try:
        for connection in slow:
            connection.settimeout(10)
            try:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {local}\r\nX-".encode())
            except ConnectionError:
                continue
        time.sleep(1.5)
        assert all(_is_closed(connection) for connection in slow)
        assert studio.call("GET", "/api/studio").status == 200
    finally:
        for connection in slow:
            connection.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_a_slow_body_is_cut_off(studio: Client, local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from framestyle.doors.studio import guard

    monkeypatch.setattr(guard, "BODY_PAUSE_S", 0.3)
    head = f"POST /api/jobs HTTP/1.1\r\nHost: {local}\r\nAuthorization: Bearer {studio.token}\r\n"
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.settimeout(10)
        connection.sendall(f"{head}Content-Type: {JSON}\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert b" 408 " in connection.recv(200).split(b"\r\n")[0]


def test_streams_are_counted(studio: Client, local: str) -> None:
    head = f"GET /api/events?page=a HTTP/1.1\r\nHost: {local}\r\nAuthorization: Bearer {studio.token}\r\n\r\n"
    held = []
    try:
        for _ in range(limits.STREAMS + 1):
            connection = socket.create_connection(("127.0.0.1", studio.port))
            connection.settimeout(10)
            connection.sendall(head.encode())
            held.append(connection)
            status = connection.recv(200).split(b" ")[1]
            assert status == (b"200" if len(held) <= limits.STREAMS else b"503")
    finally:
        for connection in held:
            connection.close()


def test_ten_thousand_requests_leave_it_as_it_was(studio: Client, local: str) -> None:
    # Down one connection, a hundred at a time without waiting for an answer.
    import psutil

    request = f"GET /api/studio HTTP/1.1\r\nHost: {local}\r\nAuthorization: Bearer wrong\r\n\r\n".encode()
    here, refused, rest = psutil.Process(), 0, b""
    with socket.create_connection(("127.0.0.1", studio.port)) as connection:
        connection.settimeout(30)
        for number in range(100):
            if number == 10:
                before = here.memory_info().rss
            connection.sendall(request * 100)
            while refused < (number + 1) * 100:
                rest += connection.recv(1 << 16)
                refused += rest.count(b"HTTP/1.1 401")
                rest = rest[-11:] if b"HTTP/1.1 401" not in rest[-11:] else b""
    assert refused == 10_000 and here.memory_info().rss - before < 30 << 20
    began = time.monotonic()
    assert studio.call("GET", "/api/studio").status == 200 and time.monotonic() - began < 15


# -- a studio for others -----------------------------------------------------------------------------------


def test_another_host_needs_a_password(call: object, root: Path) -> None:
    done = call("studio", "--host", "0.0.0.0", "--port", "0")  # type: ignore[operator]
    assert done.returncode == 2 and "FRAMESTYLE_STUDIO_PASSWORD" in done.stderr


@pytest.mark.parametrize(("option", "code"), [("--weights=nothing-like-it", 8), ("--device=cuda:77", 9)])
def test_what_cannot_paint_is_refused_before_a_page_is_served(
    call: object, root: Path, option: str, code: int
) -> None:
    done = call("studio", "--root", str(root), "--port", "0", option)  # type: ignore[operator]
    assert done.returncode == code and option.partition("=")[2] in done.stderr and "http" not in done.stdout


def test_one_studio_a_folder(studio: Client, call: object, root: Path) -> None:
    done = call("studio", "--root", str(root), "--port", "0")  # type: ignore[operator]
    assert done.returncode == 7 and "at work" in done.stderr


def test_nothing_of_the_root_has_changed_but_the_studios_own_folders(
    studio: Client, root: Path, photo: Path
) -> None:
    assert {path.name for path in root.iterdir()} == {".framestyle-studio", photo.name}
    assert photo.stat().st_size > 0
