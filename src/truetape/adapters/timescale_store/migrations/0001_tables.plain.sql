CREATE TABLE "bar_claims" (
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "ts_event" bigint NOT NULL,
    "provider" text COLLATE "C",
    "open" double precision,
    "high" double precision,
    "low" double precision,
    "close" double precision,
    "volume" double precision,
    "adj_close" double precision,
    "currency" text COLLATE "C",
    "basis" text COLLATE "C",
    "running" boolean,
    "feed" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
) PARTITION BY RANGE (ts_event);
CREATE INDEX ON "bar_claims" ("instrument_id", "timeframe", "ts_event");
CREATE TABLE "action_claims" (
    "instrument_id" text COLLATE "C",
    "ex_date" date,
    "type" text COLLATE "C",
    "provider" text COLLATE "C",
    "value" double precision,
    "currency" text COLLATE "C",
    "basis" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "action_claims" ("payload", "instrument_id", "ex_date", "type", "provider");
CREATE INDEX ON "action_claims" ("instrument_id", "ex_date");
CREATE TABLE "quotes" (
    "instrument_id" text COLLATE "C",
    "ts_event" bigint NOT NULL,
    "provider" text COLLATE "C",
    "price" double precision,
    "bid" double precision,
    "bid_size" double precision,
    "ask" double precision,
    "ask_size" double precision,
    "open" double precision,
    "high" double precision,
    "low" double precision,
    "previous_close" double precision,
    "volume" double precision,
    "currency" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
) PARTITION BY RANGE (ts_event);
CREATE INDEX ON "quotes" ("instrument_id", "ts_event");
CREATE TABLE "listing_claims" (
    "number" bigint,
    "provider" text COLLATE "C",
    "symbol" text COLLATE "C",
    "name" text COLLATE "C",
    "exchange" text COLLATE "C",
    "mic" text COLLATE "C",
    "asset_class" text COLLATE "C",
    "currency" text COLLATE "C",
    "status" text COLLATE "C",
    "first_date" date,
    "last_date" date,
    "isin" text COLLATE "C",
    "cusip" text COLLATE "C",
    "figi" text COLLATE "C",
    "cik" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "listing_claims" ("payload", "provider", "number");
CREATE TABLE "rate_claims" (
    "base" text COLLATE "C",
    "quote" text COLLATE "C",
    "ts_event" bigint,
    "provider" text COLLATE "C",
    "rate" double precision,
    "bid" double precision,
    "ask" double precision,
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "rate_claims" ("payload", "base", "quote", "ts_event", "provider");
CREATE TABLE "level_claims" (
    "instrument_id" text COLLATE "C",
    "ts_event" bigint,
    "provider" text COLLATE "C",
    "level" double precision,
    "currency" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "level_claims" ("payload", "instrument_id", "ts_event", "provider");
CREATE INDEX ON "level_claims" ("instrument_id", "ts_event");
CREATE TABLE "observation_claims" (
    "number" bigint,
    "provider" text COLLATE "C",
    "symbol" text COLLATE "C",
    "period" date,
    "value" double precision,
    "known_from" date,
    "known_to" date,
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "observation_claims" ("payload", "provider", "number");
CREATE TABLE "trades" (
    "instrument_id" text COLLATE "C",
    "ts_event" bigint NOT NULL,
    "provider" text COLLATE "C",
    "price" double precision,
    "size" double precision,
    "trade_id" text COLLATE "C",
    "conditions" text COLLATE "C",
    "side" text COLLATE "C",
    "venue" text COLLATE "C",
    "correction" text COLLATE "C",
    "currency" text COLLATE "C",
    "place" bigint,
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
) PARTITION BY RANGE (ts_event);
CREATE INDEX ON "trades" ("instrument_id", "ts_event");
CREATE TABLE "segments" (
    "provider" text COLLATE "C",
    "connection" text COLLATE "C",
    "number" bigint,
    "ts_event" bigint,
    "frames" bigint,
    "trades" bigint,
    "quotes" bigint,
    "gaps" text COLLATE "C",
    "told_from" bigint,
    "told_to" bigint,
    "ended" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "segments" ("connection", "number", "ts_event");
CREATE TABLE "captures" (
    "payload" text COLLATE "C",
    "provider" text COLLATE "C",
    "round_id" text COLLATE "C",
    "page" text COLLATE "C",
    "kind" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "why" text COLLATE "C",
    "tried" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "captures" ("payload", "provider", "round_id", "page");
CREATE INDEX ON "captures" ("instrument_id");
CREATE TABLE "bars" (
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "ts_event" bigint NOT NULL,
    "open" double precision,
    "high" double precision,
    "low" double precision,
    "close" double precision,
    "volume" double precision,
    "currency" text COLLATE "C",
    "basis" text COLLATE "C",
    "feed" text COLLATE "C",
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "flags" bigint,
    "score" double precision,
    "method" text COLLATE "C",
    "agreed" text COLLATE "C",
    "dissented" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
) PARTITION BY RANGE (ts_event);
CREATE INDEX ON "bars" ("instrument_id", "timeframe", "ts_event");
CREATE TABLE "bars_past" (
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "ts_event" bigint,
    "open" double precision,
    "high" double precision,
    "low" double precision,
    "close" double precision,
    "volume" double precision,
    "currency" text COLLATE "C",
    "basis" text COLLATE "C",
    "feed" text COLLATE "C",
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "flags" bigint,
    "score" double precision,
    "method" text COLLATE "C",
    "agreed" text COLLATE "C",
    "dissented" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "bars_past" ("instrument_id", "timeframe", "ts_event");
CREATE TABLE "bars_latest" (
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "ts_event" bigint,
    "open" double precision,
    "high" double precision,
    "low" double precision,
    "close" double precision,
    "volume" double precision,
    "currency" text COLLATE "C",
    "basis" text COLLATE "C",
    "feed" text COLLATE "C",
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "flags" bigint,
    "score" double precision,
    "method" text COLLATE "C",
    "agreed" text COLLATE "C",
    "dissented" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
ALTER TABLE "bars_latest" ADD PRIMARY KEY ("instrument_id", "timeframe");
CREATE TABLE "actions" (
    "instrument_id" text COLLATE "C",
    "ex_date" date,
    "type" text COLLATE "C",
    "value" double precision,
    "currency" text COLLATE "C",
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "score" double precision,
    "method" text COLLATE "C",
    "agreed" text COLLATE "C",
    "dissented" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "actions" ("instrument_id", "ex_date", "type");
CREATE TABLE "actions_past" (
    "instrument_id" text COLLATE "C",
    "ex_date" date,
    "type" text COLLATE "C",
    "value" double precision,
    "currency" text COLLATE "C",
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "score" double precision,
    "method" text COLLATE "C",
    "agreed" text COLLATE "C",
    "dissented" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "actions_past" ("instrument_id", "ex_date", "type");
CREATE TABLE "quarantine" (
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "ts_event" bigint,
    "provider" text COLLATE "C",
    "reason" text COLLATE "C",
    "explanation" text COLLATE "C",
    "open" double precision,
    "high" double precision,
    "low" double precision,
    "close" double precision,
    "volume" double precision,
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "quarantine" ("payload", "instrument_id", "timeframe", "ts_event", "provider");
CREATE INDEX ON "quarantine" ("instrument_id", "ts_event");
CREATE TABLE "rejected_payloads" (
    "payload" text COLLATE "C",
    "provider" text COLLATE "C",
    "kind" text COLLATE "C",
    "reason" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "rejected_payloads" ("payload", "kind", "provider");
CREATE TABLE "findings" (
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "ts_event" bigint,
    "provider" text COLLATE "C",
    "check" text COLLATE "C",
    "severity" text COLLATE "C",
    "explanation" text COLLATE "C",
    "field" text COLLATE "C",
    "value" double precision,
    "expected_low" double precision,
    "expected_high" double precision,
    "repair" text COLLATE "C",
    "repair_value" double precision,
    "round_id" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "findings" ("round_id", "instrument_id", "timeframe", "ts_event", "provider", "check");
CREATE INDEX ON "findings" ("instrument_id", "ts_event");
CREATE TABLE "quality_daily" (
    "session" date,
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "provider" text COLLATE "C",
    "check" text COLLATE "C",
    "severity" text COLLATE "C",
    "count" bigint,
    "judged" bigint,
    "agreed" bigint,
    "missing" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "quality_daily" ("session", "instrument_id", "timeframe", "provider", "check", "severity");
CREATE INDEX ON "quality_daily" ("instrument_id", "session");
CREATE TABLE "quality_daily_past" (
    "session" date,
    "instrument_id" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "provider" text COLLATE "C",
    "check" text COLLATE "C",
    "severity" text COLLATE "C",
    "count" bigint,
    "judged" bigint,
    "agreed" bigint,
    "missing" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "quality_daily_past" ("session", "instrument_id", "timeframe", "provider", "check", "severity");
CREATE INDEX ON "quality_daily_past" ("instrument_id", "session");
CREATE TABLE "votes" (
    "round_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "venue" text COLLATE "C",
    "provider" text COLLATE "C",
    "session" date,
    "agreed" double precision,
    "dissented" double precision,
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "votes" ("round_id", "kind", "provider");
CREATE TABLE "trust" (
    "provider" text COLLATE "C",
    "kind" text COLLATE "C",
    "venue" text COLLATE "C",
    "weight" double precision,
    "agreed" double precision,
    "dissented" double precision,
    "rounds" bigint,
    "since" bigint,
    "fixed" boolean,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "trust" ("provider", "kind", "venue");
CREATE TABLE "trust_past" (
    "provider" text COLLATE "C",
    "kind" text COLLATE "C",
    "venue" text COLLATE "C",
    "weight" double precision,
    "agreed" double precision,
    "dissented" double precision,
    "rounds" bigint,
    "since" bigint,
    "fixed" boolean,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "trust_past" ("provider", "kind", "venue");
CREATE TABLE "rounds" (
    "round_id" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "start" date,
    "end" date,
    "providers" text COLLATE "C",
    "golden" bigint,
    "quarantined" bigint,
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "rounds" ("round_id");
CREATE INDEX ON "rounds" ("instrument_id");
CREATE TABLE "repairs" (
    "repair_id" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "record" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "provider" text COLLATE "C",
    "start" date,
    "end" date,
    "columns" text COLLATE "C",
    "rows" bigint,
    "kind" text COLLATE "C",
    "factor" double precision,
    "edits" text COLLATE "C",
    "explanation" text COLLATE "C",
    "evidence" text COLLATE "C",
    "confidence" double precision,
    "state" text COLLATE "C",
    "decision_id" text COLLATE "C",
    "decided_by" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "repairs" ("repair_id");
CREATE INDEX ON "repairs" ("instrument_id");
CREATE TABLE "repairs_past" (
    "repair_id" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "record" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "provider" text COLLATE "C",
    "start" date,
    "end" date,
    "columns" text COLLATE "C",
    "rows" bigint,
    "kind" text COLLATE "C",
    "factor" double precision,
    "edits" text COLLATE "C",
    "explanation" text COLLATE "C",
    "evidence" text COLLATE "C",
    "confidence" double precision,
    "state" text COLLATE "C",
    "decision_id" text COLLATE "C",
    "decided_by" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "repairs_past" ("repair_id");
CREATE INDEX ON "repairs_past" ("instrument_id");
CREATE TABLE "decisions" (
    "decision_id" text COLLATE "C",
    "target" text COLLATE "C",
    "action" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "start" date,
    "end" date,
    "provider" text COLLATE "C",
    "actor" text COLLATE "C",
    "why" text COLLATE "C",
    "changed" bigint,
    "before" text COLLATE "C",
    "after" text COLLATE "C",
    "fact" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "decisions" ("decision_id");
CREATE INDEX ON "decisions" ("instrument_id");
CREATE TABLE "snapshots" (
    "name" text COLLATE "C",
    "as_of" bigint,
    "store_version" bigint,
    "actor" text COLLATE "C",
    "note" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "snapshots" ("name");
CREATE TABLE "cold_files" (
    "file" text COLLATE "C",
    "table" text COLLATE "C",
    "tier" text COLLATE "C",
    "start" date,
    "end" date,
    "least" text COLLATE "C",
    "greatest" text COLLATE "C",
    "rows" bigint,
    "providers" text COLLATE "C",
    "bytes" bigint,
    "stored_to" bigint,
    "sha256" text COLLATE "C",
    "state" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "cold_files" ("file");
CREATE TABLE "cold_files_past" (
    "file" text COLLATE "C",
    "table" text COLLATE "C",
    "tier" text COLLATE "C",
    "start" date,
    "end" date,
    "least" text COLLATE "C",
    "greatest" text COLLATE "C",
    "rows" bigint,
    "providers" text COLLATE "C",
    "bytes" bigint,
    "stored_to" bigint,
    "sha256" text COLLATE "C",
    "state" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "cold_files_past" ("file");
CREATE TABLE "moves" (
    "move_id" text COLLATE "C",
    "action" text COLLATE "C",
    "table" text COLLATE "C",
    "tier" text COLLATE "C",
    "start" date,
    "end" date,
    "provider" text COLLATE "C",
    "rows" bigint,
    "bytes" double precision,
    "actor" text COLLATE "C",
    "why" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "moves" ("move_id");
CREATE TABLE "instruments" (
    "instrument_id" text COLLATE "C",
    "name" text COLLATE "C",
    "asset_class" text COLLATE "C",
    "currency" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "instruments" ("instrument_id");
CREATE TABLE "instruments_past" (
    "instrument_id" text COLLATE "C",
    "name" text COLLATE "C",
    "asset_class" text COLLATE "C",
    "currency" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "instruments_past" ("instrument_id");
CREATE TABLE "listings" (
    "instrument_id" text COLLATE "C",
    "symbol" text COLLATE "C",
    "mic" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "listings" ("instrument_id", "symbol", "mic", "valid_from");
CREATE TABLE "listings_past" (
    "instrument_id" text COLLATE "C",
    "symbol" text COLLATE "C",
    "mic" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "listings_past" ("instrument_id", "symbol", "mic", "valid_from");
CREATE TABLE "sessions" (
    "mic" text COLLATE "C",
    "session" date,
    "open" bigint,
    "close" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "sessions" ("mic", "session");
CREATE TABLE "sessions_past" (
    "mic" text COLLATE "C",
    "session" date,
    "open" bigint,
    "close" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "sessions_past" ("mic", "session");
CREATE TABLE "session_breaks" (
    "mic" text COLLATE "C",
    "session" date,
    "break_start" bigint,
    "break_end" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "session_breaks" ("mic", "session");
CREATE TABLE "session_breaks_past" (
    "mic" text COLLATE "C",
    "session" date,
    "break_start" bigint,
    "break_end" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "session_breaks_past" ("mic", "session");
CREATE TABLE "jobs" (
    "job_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "start" date,
    "end" date,
    "symbols" bigint,
    "unknown" text COLLATE "C",
    "planned" bigint,
    "done" bigint,
    "empty" bigint,
    "waiting" bigint,
    "state" text COLLATE "C",
    "requested" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "jobs" ("job_id");
CREATE TABLE "jobs_past" (
    "job_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "timeframe" text COLLATE "C",
    "start" date,
    "end" date,
    "symbols" bigint,
    "unknown" text COLLATE "C",
    "planned" bigint,
    "done" bigint,
    "empty" bigint,
    "waiting" bigint,
    "state" text COLLATE "C",
    "requested" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "jobs_past" ("job_id");
CREATE TABLE "factors" (
    "instrument_id" text COLLATE "C",
    "ex_date" date,
    "split" double precision,
    "dividend" double precision,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "factors" ("instrument_id", "ex_date");
CREATE TABLE "factors_past" (
    "instrument_id" text COLLATE "C",
    "ex_date" date,
    "split" double precision,
    "dividend" double precision,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "factors_past" ("instrument_id", "ex_date");
CREATE TABLE "alerts" (
    "fingerprint" text COLLATE "C",
    "rule" text COLLATE "C",
    "channel" text COLLATE "C",
    "labels" text COLLATE "C",
    "severity" text COLLATE "C",
    "state" text COLLATE "C",
    "words" text COLLATE "C",
    "members" text COLLATE "C",
    "count" bigint,
    "suppressed" bigint,
    "started" bigint,
    "seen" bigint,
    "sent" bigint,
    "told" boolean,
    "owed" boolean,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "alerts" ("fingerprint");
CREATE TABLE "alerts_past" (
    "fingerprint" text COLLATE "C",
    "rule" text COLLATE "C",
    "channel" text COLLATE "C",
    "labels" text COLLATE "C",
    "severity" text COLLATE "C",
    "state" text COLLATE "C",
    "words" text COLLATE "C",
    "members" text COLLATE "C",
    "count" bigint,
    "suppressed" bigint,
    "started" bigint,
    "seen" bigint,
    "sent" bigint,
    "told" boolean,
    "owed" boolean,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "alerts_past" ("fingerprint");
CREATE TABLE "index_levels" (
    "index_id" text COLLATE "C",
    "ts_event" bigint,
    "level" double precision,
    "members" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "index_levels" ("index_id", "ts_event");
CREATE TABLE "index_levels_past" (
    "index_id" text COLLATE "C",
    "ts_event" bigint,
    "level" double precision,
    "members" bigint,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "index_levels_past" ("index_id", "ts_event");
