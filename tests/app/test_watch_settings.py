"""Settings of alerts, channels and freshness: read strictly, every problem named, and no secret shown."""

from __future__ import annotations

import tomllib

import pytest

from truetape.app.watch_settings import ChannelSettings, Watching, watching
from truetape.services.distribution.config import AlertRule
from truetape.services.quality.objectives import Objective, Objectives

TOKEN = "t0ken-that-nobody-may-see"
ENVIRON = {"HOOK": f"https://hooks.example/{TOKEN}", "KEY": TOKEN, "BLANK": " ", "ODD": "not an address"}
WHOLE = """
[channels.pager]
by = "webhook"
url_variable = "HOOK"
secret_variable = "KEY"

[channels.prometheus]
by = "alertmanager"
url = "http://127.0.0.1:9093"

[channels.office]
by = "email"
host = "mail.example"
user = "us"
password_variable = "KEY"
sender = "truetape@example.com"
to = ["a@example.com", "b@example.com"]

[[alerts]]
channel = "pager"

[[alerts]]
name = "late closes"
channel = "office"
check = "late"
severity = "warning"
kind = ["1d"]
instrument = ["BRK.B", "A*"]
count = 3
within = "10m"
cool_down = "1d"
resolve_after = "2h"
newer_than = "30d"
group_by = ["check", "kind"]

[quality.freshness]
"1d" = "2h after close"
trades = "5m"

[quality.freshness.venues.XLON]
"1d" = "1h after open"

[quality.freshness.instruments."BRK.B"]
trades = "never"
"""
PAGER = '[channels.pager]\nby = "webhook"\nurl = "https://host/path"\n'


def read(text: str) -> tuple[Watching, list[str]]:
    table, problems = tomllib.loads(text), list[str]()
    read = watching(
        alerts=table.get("alerts", []),
        channels=table.get("channels", {}),
        disk=table.get("disk", {}),
        freshness=table.get("quality", {}).get("freshness", {}),
        environ=ENVIRON,
        problems=problems,
    )
    return read, problems


def test_everything_that_can_be_set() -> None:
    """Rules, channels with secrets of the environment, and objectives of three levels."""
    found, problems = read(WHOLE)

    assert [] == problems
    assert (
        AlertRule(name="alert 0", channel="pager"),
        AlertRule(
            name="late closes",
            channel="office",
            checks=("late",),
            severity="warning",
            kinds=("1d",),
            instruments=("BRK.B", "A*"),
            count=3,
            within_s=600.0,
            cool_down_s=86_400.0,
            resolve_after_s=7200.0,
            newer_than_s=2_592_000.0,
            group_by=("check", "kind"),
        ),
    ) == found.rules


def test_channels_and_objectives_that_can_be_set() -> None:
    """Secrets come from the environment, and the port of mail from how it is secured."""
    found, _ = read(WHOLE)

    assert {
        "pager": ChannelSettings(by="webhook", url=ENVIRON["HOOK"], secret=TOKEN),
        "prometheus": ChannelSettings(by="alertmanager", url="http://127.0.0.1:9093"),
        "office": ChannelSettings(
            by="email",
            host="mail.example",
            port=587,
            security="starttls",
            user="us",
            password=TOKEN,
            sender="truetape@example.com",
            to=("a@example.com", "b@example.com"),
        ),
    } == found.channels
    assert (
        Objectives(
            everywhere={
                "1d": Objective(within_s=7200.0, after="close"),
                "trades": Objective(within_s=300.0),
            },
            venues={"XLON": {"1d": Objective(within_s=3600.0, after="open")}},
            instruments={"BRK.B": {"trades": Objective(within_s=0.0)}},
        )
        == found.freshness
    )


def test_nothing_set_is_nothing_watched() -> None:
    """The defaults."""
    assert (Watching(), []) == read("")


def test_secrets_are_not_shown() -> None:
    """Neither in the text of the settings nor outside the list of what logs must hide."""
    found, _ = read(WHOLE)

    assert TOKEN not in repr(found)
    assert {ENVIRON["HOOK"], TOKEN} <= set(found.channels["pager"].secrets)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("alerts = 1", "alerts must be tables: write [[alerts]] before each."),
        ('[[alerts]]\nchannel = "pager"', "alerts[0].channel was 'pager'; write [channels.NAME] for it."),
        (PAGER + "[[alerts]]", "alerts[0].channel was None; known are pager."),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\nchek = "late"',
            "alerts[0].chek is no setting; did you mean check?",
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\nname = ""',
            "alerts[0].name was ''; write letters, digits and blanks, 60 at most.",
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\nname = "a"\n[[alerts]]\nchannel = "pager"\nname = "a"',
            "alerts: two have the name 'a'; name them apart.",
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\nseverity = "grave"',
            "alerts[0].severity was 'grave'; write one of note, warning, error.",
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\ncount = true',
            "alerts[0].count was True; write a whole number from 1 to 1000000.",
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\ncheck = [1]',
            'alerts[0].check was [1]; write a text, or several in a list such as ["a", "b"].',
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\ngroup_by = ["symbol"]',
            "alerts[0].group_by has 'symbol'; known are check, severity, provider, instrument, kind.",
        ),
        (
            PAGER + '[[alerts]]\nchannel = "pager"\nwithin = 5',
            'alerts[0].within was 5; write a length of time such as "90s", "15m", "2h" or "7d".',
        ),
        ("channels = 1", "channels must be tables: write [channels.NAME] before the settings of each."),
        ('[channels.a]\nby = "fax"', "channels.a.by was 'fax'; write one of webhook, alertmanager, email."),
        ('[channels.a]\nby = "webhook"\nurl = "ftp://x"', 'channels.a.url was ***; write an address such as "http://127.0.0.1:9093", or url_variable.'),  # noqa: E501
        ('[channels.a]\nby = "webhook"', 'channels.a.url was ***; write an address such as "http://127.0.0.1:9093", or url_variable.'),  # noqa: E501
        ('[channels.a]\nby = "webhook"\nurl_variable = "ODD"', "channels.a.url_variable: what it holds is no address that starts with http:// or https://."),  # noqa: E501
        ('[channels.a]\nby = "webhook"\nurl_variable = "BLANK"', "channels.a.url_variable: the environment variable BLANK is not set; set it."),  # noqa: E501
        (PAGER + 'token_variable = "a-b"', "channels.pager.token_variable was ***; write the name of an environment variable, not a secret."),  # noqa: E501
        (PAGER + 'to = "x"', "channels.pager.to is no setting of it; known are by, url, url_variable, token_variable, secret_variable."),  # noqa: E501
        ('[channels.a]\nby = "email"\nhost = "h"\nsender = "a@b"\nto = "c@d"\nport = 0', "channels.a.port was 0; write a whole number from 1 to 65535."),  # noqa: E501
        ('[channels.a]\nby = "email"\nhost = ""\nsender = "a@b"\nto = "c@d"', "channels.a.host was ''; write the name of a mail server, such as \"mail.host\"."),  # noqa: E501
        ('[channels.a]\nby = "email"\nhost = "h"\nsender = "a@b"\nto = "c@d"\nuser = "u"', "channels.a.user and password_variable belong together; write both or none."),  # noqa: E501
        ('[channels.a]\nby = "email"\nhost = "h"\nsender = "a"\nto = "c@d"', 'channels.a.sender and to are addresses such as "you@host"; write both.'),  # noqa: E501
        ('[channels.a]\nby = "email"\nhost = "h"\nsender = "a@b"', 'channels.a.sender and to are addresses such as "you@host"; write both.'),  # noqa: E501
        ('[channels.a]\nby = "email"\nhost = "h"\nsender = "a@b"\nto = "c@d"\nsecurity = "ssl"', "channels.a.security was 'ssl'; write one of starttls, tls, none."),  # noqa: E501
        ("[quality]\nfreshness = 1", "quality.freshness must be a table: write [quality.freshness] before its settings."),  # noqa: E501
        ("[quality.freshness]\nvenues = 1", "quality.freshness.venues must hold tables: write [quality.freshness.venues.NAME] before each."),  # noqa: E501
        ('[quality.freshness]\n"1w" = "2h"', "quality.freshness.1w is no kind with an objective; known are 1d, 1m, 5m, 15m, 30m, 1h, trades, quotes."),  # noqa: E501
        ('[quality.freshness]\n"1d" = "2h"', 'quality.freshness.1d was \'2h\'; write a length of time such as "90s", "15m", "2h" or "7d" and "after close" or "after open", for example "2h after close"; or "never".'),  # noqa: E501
        ("[quality.freshness.venues.XLON]\ntrades = 5", 'quality.freshness.venues.XLON.trades was 5; write a length of time such as "90s", "15m", "2h" or "7d", for which nothing may come during a session; or "never".'),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    """With the value, where it may be shown, and what to write."""
    _, problems = read(text)

    assert problem in problems


def test_all_problems_are_told_at_once() -> None:
    """One for each."""
    _, problems = read(
        '[[alerts]]\nchannel = "x"\nwithin = "soon"\n[channels.a]\nby = "fax"\n[quality.freshness]\na = "1s"'
    )

    assert 4 == len(problems)
