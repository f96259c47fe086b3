"""The pages on which a person allows or denies, the same for both vendors, without a script."""

from collections.abc import Iterable, Mapping
from html import escape

from aiohttp import web

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 32rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } fieldset { border: 0; margin: 0; padding: 0; }
input[type=email], input[type=text] { font: inherit; padding: .3rem .5rem; width: 95%; }
button { font: inherit; padding: .4rem 1.2rem; margin: 1rem .5rem 0 0; }
"""


def ask(
    title: str,
    *,
    scopes: Iterable[str],
    hidden: Mapping[str, str],
    user: str,
    untick: bool = False,
    code: str | None = None,
) -> web.Response:
    """Asks a person for consent; what they choose is posted to the page's own address.

    `untick` lets scopes be left out one by one; `code` asks for a device's code, too.
    """
    box = 'type="checkbox" name="scope"' if untick else 'type="checkbox" disabled'
    boxes = "".join(
        f'<li><label><input {box} value="{escape(each)}" checked> {escape(each)}</label></li>'
        for each in scopes
    )
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    asked_code = (
        ""
        if code is None
        else f'<p><label>Code <input type="text" name="code" value="{escape(code)}"></label></p>'
    )
    return page(
        title,
        f'<form method="post">{kept}<ul>{boxes}</ul>{asked_code}'
        f'<p><label>Account <input type="email" name="user" value="{escape(user)}" required></label></p>'
        '<button name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny" formnovalidate>Deny</button></form>',
    )


def posted_on(target: str, fields: Mapping[str, str]) -> web.Response:
    """A page that posts fields to where they go (OAuth 2.0 Form Post Response Mode)."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return page(
        "Back to the application",
        f'<form method="post" action="{escape(target)}">{inputs}<button>Continue</button></form>'
        "<script>document.forms[0].submit()</script>",
    )


def page(title: str, body: str, status: int = 200) -> web.Response:
    """One small page."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return web.Response(
        text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"}
    )
