"""The page at /docs: every endpoint with a form to try it. One file, no script from elsewhere, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Final

from truetape.services.api.endpoint import Endpoint
from truetape.services.api.parameters import Parameter

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--paper:#fff;--field:#f6f8fa;--mark:#0b6e4f}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--line:#30363d;--paper:#0d1117;--field:#161b22;
--mark:#4cc38a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:56rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,"DejaVu Sans",sans-serif}
h1{margin:0;font-size:1.9rem;letter-spacing:-.02em}h2{margin:0 0 .3rem;font-size:1.2rem}
p{margin:.3rem 0 .8rem}.soft{color:var(--soft)}a{color:var(--mark)}
code{font:.88em ui-monospace,"DejaVu Sans Mono",monospace}
nav{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;margin:1.2rem 0 0}
section{margin-top:2.2rem;padding-top:1.6rem;border-top:1px solid var(--line)}
.path{display:inline-block;padding:.15rem .55rem;border-radius:6px;background:var(--field);color:var(--mark)}
.row{display:grid;grid-template-columns:8.5rem 13rem 1fr;gap:.2rem 1rem;align-items:center;padding:.35rem 0}
.row label{font-weight:600}.row span{color:var(--soft);font-size:.9rem}
input,select{width:100%;padding:.35rem .5rem;border:1px solid var(--line);border-radius:6px;background:var(--field);
color:inherit;font:.9rem ui-monospace,"DejaVu Sans Mono",monospace}
button{margin-top:.7rem;padding:.45rem 1.1rem;border:0;border-radius:6px;background:var(--mark);color:var(--paper);
font:600 .95rem system-ui,"DejaVu Sans",sans-serif;cursor:pointer}
form{margin-bottom:.9rem}
table{border-collapse:collapse;width:100%}td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}
@media(max-width:42rem){.row{grid-template-columns:1fr}}
""".strip()
_SCRIPT: Final = """
document.addEventListener("submit",event=>{event.preventDefault();const form=event.target;let path=form.dataset.path;
const query=new URLSearchParams();for(const[name,value]of new FormData(form)){if(path.includes("{"+name+"}"))
path=path.replace("{"+name+"}",encodeURIComponent(value));else if(value)query.set(name,value)}
location.href=path+(query.size?"?"+query:"")});
""".strip()
_OPERATORS: Final = (
    (
        "/v1/backfills",
        "The newest backfills. POST symbols, start and end as JSON to ask for one: it is taken as a job.",
    ),
    ("/v1/backfills/{job_id}", "How far one of them has come."),
    (
        "/v1/quarantine/{target}/decision",
        "POST action (accept, correct, reject, undo), why, actor and values as JSON to decide about a claim.",
    ),
    ("/v1/repairs/{target}/decision", "The same for a repair: apply, undo, reject."),
    (
        "/v1/instruments/{instrument}/merge",
        "POST into and why as JSON: another record stands for this one from now on.",
    ),
    ("/v1/instruments/{instrument}/unmerge", "POST why as JSON to take that back."),
    ("/v1/calendars/{mic}/corrections", "POST what a day of a venue is, why and who says so, as JSON."),
    ("/v1/bars/plan", "Where the bars of a question come from, how long they take, and how to ask for less."),
    ("/v1/snapshots", "POST name, as_of, note and actor as JSON to name a state of the store."),
    ("/v1/receipts/{receipt}", "The answer that has this receipt, byte for byte."),
    ("/v1/tables/{table}", "A whole table as Arrow, or a selection of it: what the commands of an operator read."),
    ("/healthz", "The process is alive."),
    ("/readyz", "The store is readable; what else is not as it should be."),
    ("/metrics", "Counts and times, for Prometheus."),
    ("/openapi.json", "This page for programs."),
)


def docs_page(endpoints: Iterable[Endpoint], *, version: str) -> bytes:
    """Return the page in HTML."""
    listed = list(endpoints)
    links = "".join(f'<a href="#{one.name}">{escape(one.title)}</a>' for one in listed)
    rows = "".join(f'<tr><td><a href="{path}"><code>{path}</code></a><td>{about}' for path, about in _OPERATORS)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>truetape API</title><style>{_STYLE}</style>"
        f'<h1>truetape API</h1><p class="soft">Version {escape(version)}. Everything here is a GET; only work '
        f"is asked for by a POST (see Operation). Errors name the parameter, its value and the fix.</p><nav>{links}"
        f'<a href="#operation">Operation</a></nav>{"".join(map(_section, listed))}'
        f'<section id="operation"><h2>Operation</h2><table>{rows}</table></section><script>{_SCRIPT}</script></html>'
    ).encode()


def content_policy() -> str:
    """Return the Content-Security-Policy under which the page works: its own style and script, and nothing else."""
    script, style = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (_SCRIPT, _STYLE))
    return (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _section(endpoint: Endpoint) -> str:
    fields = "".join(_field(endpoint, parameter) for parameter in (*endpoint.path_parameters, *endpoint.parameters))
    example = escape(endpoint.example, quote=True)
    columns = ", ".join(f"<code>{escape(name)}</code>" for name in endpoint.columns)
    rows = f'<p class="soft">Rows in <code>{endpoint.name}</code>: {columns}</p>' if columns else ""
    return (
        f'<section id="{endpoint.name}"><h2>{escape(endpoint.title)}</h2>'
        f'<code class="path">GET {escape(endpoint.path)}</code><p>{_marked(endpoint.about)}</p>'
        f'<form data-path="{escape(endpoint.path, quote=True)}">{fields}<button>Ask</button></form>{rows}'
        f'<p class="soft">Example: <a href="{example}"><code>{example}</code></a></p></section>'
    )


def _field(endpoint: Endpoint, parameter: Parameter) -> str:
    key = f"{endpoint.name}-{parameter.name}"
    must = " required" if parameter.required else ""
    if parameter.choices:
        options = "".join(
            f"<option{' selected' if choice == parameter.default else ''}>{choice}" for choice in parameter.choices
        )
        nothing = "by Accept" if parameter.name == "format" else "left out"
        unset = "" if parameter.default else f'<option value="">{nothing}'
        field = f'<select id="{key}" name="{parameter.name}">{unset}{options}</select>'
    else:
        hint = escape(parameter.example or parameter.default or "", quote=True)
        field = f'<input id="{key}" name="{parameter.name}" placeholder="{hint}" autocomplete="off"{must}>'
    about = _marked(parameter.about)
    return f'<div class="row"><label for="{key}">{parameter.name}</label>{field}<span>{about}</span></div>'


def _marked(text: str) -> str:
    """Return `text` in HTML, with `words in backticks` as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
