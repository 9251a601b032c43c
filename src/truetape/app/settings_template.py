"""The settings file that `truetape init` writes: every setting with its default, and what else can be set."""

from __future__ import annotations

from typing import Final

TEMPLATE: Final = """\
# Settings of truetape. Every value here is the default unless it says otherwise.
# Keys never stand in this file: they are read from the environment variables named below.

data = "data"              # folder for the archive and the store, relative to this file
host = "127.0.0.1"         # address on which the API listens; 0.0.0.0 for other machines too
port = 8000
start = 2020-01-01         # first session date to acquire; has no default
# end = 2024-12-31         # last one; without it, the last day that has ended
refresh_s = 3600           # seconds between two looks for new sessions
timeout_s = 30             # seconds that a provider has for an answer
attempts = 5               # requests that a provider gets for one question
spend_evenly = true        # backfills use of a day's quota what has passed of the day; false: all of it at once
# segments = "segments"    # where bars lie as they are read fastest, in the data folder or elsewhere; "" for nowhere
# simulated = true         # for a platform that asks a sandbox: its rows are marked, in a data folder of their own

# One table for each listing. MIC is the ISO 10383 code of the market.
[[instruments]]
symbol = "AAPL"
mic = "XNAS"
name = "Apple Inc."
currency = "USD"
# isin = "US0378331005"    # so may be cusip, sedol, figi, lei and cik; lot and increment are numbers

[[instruments]]
symbol = "IBM"
mic = "XNYS"
name = "International Business Machines Corporation"
currency = "USD"

# Providers that have a table here are asked, all of them; a price is what most of them agree on.
[providers.alpha_vantage]
key_variable = "ALPHAVANTAGE_API_KEY"
calls_per_second = 0.9     # the free plan also allows only 25 calls a day

[providers.yahoo]          # needs no key; personal use only, by Yahoo's terms

[providers.finnhub]
key_variable = "FINNHUB_API_KEY"
# plan = "market_data"     # bars need a paid plan; its free one has quotes, trades and listings
# enabled = false          # keeps the table and asks it nothing
# trust = 2.0              # weight of its vote, fixed; without it, learnt from how often it was right

# Without a policy every provider is asked and votes. To spend less, ask one after the other, or only some:
# [policies.bars]
# name = "failover"        # consensus, failover, hedged or cheapest
# providers = ["yahoo", "alpha_vantage"]  # in this order; without it, as their tables stand here
# quorum = 0               # of consensus: how many must deliver; 0 for all
# fall_through = true      # false: ask the first choice only, whatever comes of it
# hedge_s = 3.0            # of hedged: ask the next one too after so many seconds of silence

# Streams are heard live where a provider is named here, with what is to be heard: trades, quotes, bars, book.
# [streams]
# yahoo = ["quotes"]       # trades, where a provider has them, make one-minute bars

# Exchange rates are acquired of pairs that are named here, so that bars can be told in other currencies.
# [fx]
# pairs = ["EUR/USD", "USD/JPY"]  # the ECB tells those of the euro without a key: [providers.ecb]

# IEX Cloud closed on 2024-08-31; name a host that still speaks its API to use it.
# [providers.iex_cloud]
# base_url = "https://..."
# key_variable = "IEX_TOKEN"

# How soon what is due; what is later becomes a finding. The most specific one holds: instrument, venue, everywhere.
# [quality.freshness]
# "1d" = "2h after close"
# trades = "5m"            # for which nothing may come during a session

# A bar is what most of the weight of those that speak of it agrees on, one price increment apart.
# [quality.consensus]
# increment = 0.01         # where none is known, and none can be learnt from the decimals of the prices
# relative = 0.0002        # claims within this share of the price agree too
# quorum = 1               # providers that must agree
# quorum_weight = 0.0      # and what they must weigh together
# below_quorum = "flag"    # or "withhold": such a bar is no golden row, but a finding
# increments.JPY = 1.0     # by currency

# Checks are tuned by their names; the most specific setting wins: instrument, venue, record kind.
# [quality]
# user_checks = "checks"   # a folder of checks of your own
# [quality.checks.stale]
# enabled = true
# severity = "note"        # note, warning or error
# limits = { bars = 4 }
# [[quality.checks.stale.where]]
# venue = "XLON"           # or instrument = "AAPL", or kind = "bars"
# limits = { bars = 6 }

# Repairs of providers' series are proposed; an operator decides, unless the settings do.
# [quality.repair]
# default = "propose"      # auto: applied at once; never: cannot be applied
# confidence = 0.9         # that a repair must have to be applied without asking
# venues = { XLON = "auto" }
# instruments = { AAPL = "never" }  # stand above venues

# Days that no calendar knows yet: a CSV or Parquet file of corrections, see docs/guides/calendars.md.
# [calendars]
# corrections = "corrections.csv"
# venues = ["XTKS"]        # whose calendars are kept too, beside those of the instruments

# Lists that are fetched by themselves; see docs/guides/keep-reference-data.md. Their providers must be enabled above.
# [reference.lists]
# sec = "1d"               # who is listed; SEC_USER_AGENT says who asks
# iso10383 = "7d"          # which markets there are

# Backups of everything here, made while it runs; truetape backup restores them.
# [backup]
# to = "/backups/tape"     # or s3://bucket/prefix, with keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
# every = "1d"
# verify_every = "7d"      # restored into a scratch folder and compared
# keep = { newest = 7, daily = 30, monthly = 12 }

# People are told of findings: each alert once in its cool-down, and again when it is over.
# [[alerts]]
# channel = "office"
# severity = "error"       # at least: note, warning or error
# within = "1h"            # count = 3 of one group in this time, for example
# cool_down = "4h"
# resolve_after = "4h"     # without any more it is over
# newer_than = "7d"        # about older dates nobody is told

# [channels.office]
# by = "alertmanager"      # webhook, alertmanager or email
# url = "http://127.0.0.1:9093"  # or url_variable, where the address holds a token

# A disk in trouble is told; see docs/guides/when-the-disk-is-full.md.
# [disk]
# slow_commit = "10s"      # a commit that takes longer
# low = "1 GB"             # less room than this

# Old rows go to cheaper tiers and are read as before; see docs/guides/keep-history-cheaply.md.
# [tiers]
# warm = "cold/warm"       # a folder beside this file, or s3://bucket/prefix
# archive = "cold/archive"
# [tiers.kinds.bars]
# hot = "2y"               # a bar stays in the store until it is so old
# warm = "10y"             # and in the warm tier until then
# [tiers.kinds.quotes]
# keep = "90d"             # deleted when it is so old
"""
