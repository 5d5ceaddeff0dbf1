"""The web process: ``python -m webapp.server --port 8501 --host 127.0.0.1``.

It decides what Streamlit is told (options, theme, error handler) and puts our own routes and the gate around it.
"""

import gc
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Annotated

import structlog
import typer
from streamlit.starlette import App

from agent.telemetry import start_telemetry
from db.errors import ParleyError
from webapp.settings import web_settings

SCRIPT = Path(__file__).parent / "shell" / "script.py"
PAGES = Path(__file__).parent / "pages"


class PortTaken(ParleyError):
    """Another program listens where the web process should."""


def build_app() -> App:
    """The ASGI application: the routes of the sign-in, the rating desk, the reports and the metrics, the gate, and the pages behind it."""
    # Imported here, since these read options that must be set first.
    from starlette.middleware import Middleware

    from webapp import backend, database
    from webapp.annotate.routes import routes as desk_routes
    from webapp.auth.gate import Gate
    from webapp.auth.routes import routes
    from webapp.metrics import metrics_route
    from webapp.reports import routes as report_routes
    from webapp.shell.errors import show_error

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncGenerator[None]:
        # The first visitor should not wait for what every visitor shares.
        Thread(target=_warm_up, name="warm-up", daemon=True).start()
        yield
        backend.shut_down()

    return App(
        SCRIPT,
        routes=[*routes(), *desk_routes(), *report_routes(), metrics_route(database.sessions)],
        middleware=[Middleware(Gate)],
        on_script_error=show_error,
        lifespan=lifespan,
    )


def _warm_up() -> None:
    from webapp import backend

    for page in PAGES.iterdir():
        if page.suffix == ".py":
            import_module(f"webapp.pages.{page.stem}")

    # Streamlit collects garbage after every run. What is loaded now stays for good, so it need not be looked through each time:
    # a run of the negotiation page takes 20 ms instead of 170 ms.
    gc.collect()
    gc.freeze()
    try:
        backend.desk()
    except ParleyError as error:
        structlog.get_logger("parley.web").warning("not ready yet; the first page tries again", reason=str(error))


def options(*, host: str, port: int) -> dict[str, object]:
    """What Streamlit is told, by dotted option name."""
    from webapp.shell.theme import theme_options

    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": 10,
        "server.maxMessageSize": 50,
        "server.showEmailPrompt": False,
        "server.enableXsrfProtection": True,
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "runner.magicEnabled": False,
        "logger.level": "warning",
        **theme_options(),
    }


def require_free(host: str, port: int) -> None:
    """Check that nobody listens there.

    Raises:
        PortTaken: if somebody does, or we may not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"The web server cannot listen on {host}:{port}: {error.strerror}. Choose another port with --port.") from error


def serve(*, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        ParleyError: the port is taken or the settings cannot be used.
    """
    start_telemetry("parley-web")
    require_free(host, port)
    # Streamlit signs its own helper cookies (single sign-on state) with this one; it takes it from the environment only.
    os.environ.setdefault("STREAMLIT_SERVER_COOKIE_SECRET", web_settings().signing_key())
    build_app().run(config=options(host=host, port=port))


command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def main(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every network.")] = "127.0.0.1",
) -> None:
    """Serve Parley's web pages."""
    try:
        serve(host=host, port=port)
    except ParleyError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    command()
