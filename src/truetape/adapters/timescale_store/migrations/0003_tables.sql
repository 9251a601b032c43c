CREATE TABLE "venue_claims" (
    "number" bigint,
    "provider" text COLLATE "C",
    "mic" text COLLATE "C",
    "operating_mic" text COLLATE "C",
    "is_segment" boolean,
    "name" text COLLATE "C",
    "entity" text COLLATE "C",
    "lei" text COLLATE "C",
    "category" text COLLATE "C",
    "acronym" text COLLATE "C",
    "country" text COLLATE "C",
    "city" text COLLATE "C",
    "website" text COLLATE "C",
    "status" text COLLATE "C",
    "created" date,
    "updated" date,
    "expired" date,
    "comment" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "venue_claims" ("payload", "provider", "number");
CREATE TABLE "currency_claims" (
    "number" bigint,
    "provider" text COLLATE "C",
    "code" text COLLATE "C",
    "numeric" text COLLATE "C",
    "name" text COLLATE "C",
    "country" text COLLATE "C",
    "minor_units" bigint,
    "is_fund" boolean,
    "withdrawn" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "currency_claims" ("payload", "provider", "number");
CREATE TABLE "issuer_claims" (
    "number" bigint,
    "provider" text COLLATE "C",
    "cik" text COLLATE "C",
    "lei" text COLLATE "C",
    "name" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "status" text COLLATE "C",
    "registration" text COLLATE "C",
    "legal_form" text COLLATE "C",
    "country" text COLLATE "C",
    "sic" text COLLATE "C",
    "industry" text COLLATE "C",
    "category" text COLLATE "C",
    "fiscal_year_end" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "issuer_claims" ("payload", "provider", "number");
CREATE TABLE "identifier_claims" (
    "number" bigint,
    "provider" text COLLATE "C",
    "asked_type" text COLLATE "C",
    "asked" text COLLATE "C",
    "symbol" text COLLATE "C",
    "exchange" text COLLATE "C",
    "name" text COLLATE "C",
    "security_type" text COLLATE "C",
    "isin" text COLLATE "C",
    "figi" text COLLATE "C",
    "composite_figi" text COLLATE "C",
    "share_class_figi" text COLLATE "C",
    "lei" text COLLATE "C",
    "cik" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "identifier_claims" ("payload", "provider", "number");
CREATE TABLE "listing_events" (
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "number" bigint,
    "kind" text COLLATE "C",
    "symbol" text COLLATE "C",
    "old_symbol" text COLLATE "C",
    "name" text COLLATE "C",
    "old_name" text COLLATE "C",
    "exchange" text COLLATE "C",
    "old_exchange" text COLLATE "C",
    "date" date,
    "cik" text COLLATE "C",
    "confidence" double precision,
    "evidence" text COLLATE "C",
    "old_payload" text COLLATE "C",
    "held" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "listing_events" ("payload", "provider", "number");
CREATE TABLE "listing_reviews" (
    "provider" text COLLATE "C",
    "payload" text COLLATE "C",
    "old_payload" text COLLATE "C",
    "live" bigint,
    "events" bigint,
    "held" bigint,
    "words" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "listing_reviews" ("payload", "provider");
CREATE TABLE "instrument_details" (
    "instrument_id" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "name" text COLLATE "C",
    "paper" text COLLATE "C",
    "issuer_id" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "instrument_details" ("instrument_id", "valid_from");
CREATE TABLE "instrument_details_past" (
    "instrument_id" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "name" text COLLATE "C",
    "paper" text COLLATE "C",
    "issuer_id" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "instrument_details_past" ("instrument_id", "valid_from");
CREATE TABLE "listing_details" (
    "instrument_id" text COLLATE "C",
    "symbol" text COLLATE "C",
    "mic" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "currency" text COLLATE "C",
    "lot" double precision,
    "increment" double precision,
    "status" text COLLATE "C",
    "board" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "listing_details" ("instrument_id", "symbol", "mic", "valid_from");
CREATE TABLE "listing_details_past" (
    "instrument_id" text COLLATE "C",
    "symbol" text COLLATE "C",
    "mic" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "currency" text COLLATE "C",
    "lot" double precision,
    "increment" double precision,
    "status" text COLLATE "C",
    "board" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "listing_details_past" ("instrument_id", "symbol", "mic", "valid_from");
CREATE TABLE "identifiers" (
    "instrument_id" text COLLATE "C",
    "scheme" text COLLATE "C",
    "value" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "identifiers" ("instrument_id", "scheme", "value", "valid_from");
CREATE TABLE "identifiers_past" (
    "instrument_id" text COLLATE "C",
    "scheme" text COLLATE "C",
    "value" text COLLATE "C",
    "valid_from" date,
    "valid_to" date,
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "identifiers_past" ("instrument_id", "scheme", "value", "valid_from");
CREATE TABLE "issuers" (
    "issuer_id" text COLLATE "C",
    "name" text COLLATE "C",
    "cik" text COLLATE "C",
    "lei" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "issuers" ("issuer_id");
CREATE TABLE "issuers_past" (
    "issuer_id" text COLLATE "C",
    "name" text COLLATE "C",
    "cik" text COLLATE "C",
    "lei" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "issuers_past" ("issuer_id");
CREATE TABLE "merges" (
    "instrument_id" text COLLATE "C",
    "into" text COLLATE "C",
    "stands" boolean,
    "actor" text COLLATE "C",
    "why" text COLLATE "C",
    "evidence" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "merges" ("instrument_id");
CREATE TABLE "merges_past" (
    "instrument_id" text COLLATE "C",
    "into" text COLLATE "C",
    "stands" boolean,
    "actor" text COLLATE "C",
    "why" text COLLATE "C",
    "evidence" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "merges_past" ("instrument_id");
CREATE TABLE "master_questions" (
    "question_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "provider" text COLLATE "C",
    "symbol" text COLLATE "C",
    "mic" text COLLATE "C",
    "instruments" text COLLATE "C",
    "words" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "master_questions" ("question_id");
CREATE TABLE "master_questions_past" (
    "question_id" text COLLATE "C",
    "kind" text COLLATE "C",
    "provider" text COLLATE "C",
    "symbol" text COLLATE "C",
    "mic" text COLLATE "C",
    "instruments" text COLLATE "C",
    "words" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "master_questions_past" ("question_id");
CREATE TABLE "settled_listings" (
    "payload" text COLLATE "C",
    "provider" text COLLATE "C",
    "rows" bigint,
    "added" bigint,
    "questions" bigint,
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "settled_listings" ("payload", "provider");
CREATE TABLE "action_details" (
    "instrument_id" text COLLATE "C",
    "ex_date" date,
    "type" text COLLATE "C",
    "provider" text COLLATE "C",
    "declared_date" date,
    "record_date" date,
    "pay_date" date,
    "new_symbol" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "action_details" ("payload", "instrument_id", "ex_date", "type", "provider");
CREATE INDEX ON "action_details" ("instrument_id", "ex_date");
CREATE TABLE "action_statements" (
    "statement_id" text COLLATE "C",
    "announcement_id" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "said" text COLLATE "C",
    "fields" text COLLATE "C",
    "actor" text COLLATE "C",
    "why" text COLLATE "C",
    "ts_known" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "action_statements" ("statement_id");
CREATE INDEX ON "action_statements" ("instrument_id");
CREATE TABLE "announcements" (
    "announcement_id" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "type" text COLLATE "C",
    "status" text COLLATE "C",
    "effective_date" date,
    "declared_date" date,
    "record_date" date,
    "pay_date" date,
    "deadline" date,
    "value" text COLLATE "C",
    "price" text COLLATE "C",
    "currency" text COLLATE "C",
    "new_symbol" text COLLATE "C",
    "options" text COLLATE "C",
    "sources" text COLLATE "C",
    "dissented" text COLLATE "C",
    "made_of" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "announcements" ("announcement_id");
CREATE INDEX ON "announcements" ("instrument_id");
CREATE TABLE "announcements_past" (
    "announcement_id" text COLLATE "C",
    "instrument_id" text COLLATE "C",
    "type" text COLLATE "C",
    "status" text COLLATE "C",
    "effective_date" date,
    "declared_date" date,
    "record_date" date,
    "pay_date" date,
    "deadline" date,
    "value" text COLLATE "C",
    "price" text COLLATE "C",
    "currency" text COLLATE "C",
    "new_symbol" text COLLATE "C",
    "options" text COLLATE "C",
    "sources" text COLLATE "C",
    "dissented" text COLLATE "C",
    "made_of" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "announcements_past" ("announcement_id");
CREATE INDEX ON "announcements_past" ("instrument_id");
CREATE TABLE "venues" (
    "mic" text COLLATE "C",
    "operating_mic" text COLLATE "C",
    "level" text COLLATE "C",
    "name" text COLLATE "C",
    "legal_entity" text COLLATE "C",
    "lei" text COLLATE "C",
    "category" text COLLATE "C",
    "acronym" text COLLATE "C",
    "country" text COLLATE "C",
    "city" text COLLATE "C",
    "website" text COLLATE "C",
    "status" text COLLATE "C",
    "created" date,
    "updated" date,
    "expired" date,
    "zone" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "venues" ("mic");
CREATE TABLE "venues_past" (
    "mic" text COLLATE "C",
    "operating_mic" text COLLATE "C",
    "level" text COLLATE "C",
    "name" text COLLATE "C",
    "legal_entity" text COLLATE "C",
    "lei" text COLLATE "C",
    "category" text COLLATE "C",
    "acronym" text COLLATE "C",
    "country" text COLLATE "C",
    "city" text COLLATE "C",
    "website" text COLLATE "C",
    "status" text COLLATE "C",
    "created" date,
    "updated" date,
    "expired" date,
    "zone" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "venues_past" ("mic");
CREATE TABLE "calendars" (
    "mic" text COLLATE "C",
    "keeper" text COLLATE "C",
    "zone" text COLLATE "C",
    "rules" text COLLATE "C",
    "first" date,
    "last" date,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "calendars" ("mic");
CREATE TABLE "calendars_past" (
    "mic" text COLLATE "C",
    "keeper" text COLLATE "C",
    "zone" text COLLATE "C",
    "rules" text COLLATE "C",
    "first" date,
    "last" date,
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "calendars_past" ("mic");
CREATE TABLE "calendar_corrections" (
    "mic" text COLLATE "C",
    "session" date,
    "known" bigint,
    "what" text COLLATE "C",
    "open" bigint,
    "close" bigint,
    "break_start" bigint,
    "break_end" bigint,
    "why" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "calendar_corrections" ("mic", "session", "known");
CREATE TABLE "calendar_corrections_past" (
    "mic" text COLLATE "C",
    "session" date,
    "known" bigint,
    "what" text COLLATE "C",
    "open" bigint,
    "close" bigint,
    "break_start" bigint,
    "break_end" bigint,
    "why" text COLLATE "C",
    "source" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "calendar_corrections_past" ("mic", "session", "known");
CREATE TABLE "class_nodes" (
    "taxonomy" text COLLATE "C",
    "revision" date,
    "code" text COLLATE "C",
    "parent" text COLLATE "C",
    "level" bigint,
    "name" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "class_nodes" ("taxonomy", "revision", "code");
CREATE TABLE "class_nodes_past" (
    "taxonomy" text COLLATE "C",
    "revision" date,
    "code" text COLLATE "C",
    "parent" text COLLATE "C",
    "level" bigint,
    "name" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "class_nodes_past" ("taxonomy", "revision", "code");
CREATE TABLE "class_mappings" (
    "taxonomy" text COLLATE "C",
    "code" text COLLATE "C",
    "to_taxonomy" text COLLATE "C",
    "to_code" text COLLATE "C",
    "valid_from" date,
    "confidence" double precision,
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "class_mappings" ("taxonomy", "code", "to_taxonomy", "to_code", "valid_from");
CREATE TABLE "class_mappings_past" (
    "taxonomy" text COLLATE "C",
    "code" text COLLATE "C",
    "to_taxonomy" text COLLATE "C",
    "to_code" text COLLATE "C",
    "valid_from" date,
    "confidence" double precision,
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "class_mappings_past" ("taxonomy", "code", "to_taxonomy", "to_code", "valid_from");
CREATE TABLE "class_assignments" (
    "instrument_id" text COLLATE "C",
    "taxonomy" text COLLATE "C",
    "source" text COLLATE "C",
    "valid_from" date,
    "code" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "version_written" bigint
);
CREATE INDEX ON "class_assignments" ("instrument_id", "taxonomy", "source", "valid_from");
CREATE TABLE "class_assignments_past" (
    "instrument_id" text COLLATE "C",
    "taxonomy" text COLLATE "C",
    "source" text COLLATE "C",
    "valid_from" date,
    "code" text COLLATE "C",
    "payload" text COLLATE "C",
    "ts_known" bigint,
    "version" bigint,
    "simulated" boolean,
    "withdrawn" boolean,
    "version_written" bigint,
    "version_replaced" bigint,
    "ts_superseded" bigint
);
CREATE INDEX ON "class_assignments_past" ("instrument_id", "taxonomy", "source", "valid_from");
CREATE TABLE "fx_rates" (
    "base" text COLLATE "C",
    "quote" text COLLATE "C",
    "fixing" text COLLATE "C",
    "ts_event" bigint,
    "rate" double precision,
    "bid" double precision,
    "ask" double precision,
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
CREATE INDEX ON "fx_rates" ("base", "quote", "fixing", "ts_event");
CREATE TABLE "fx_rates_past" (
    "base" text COLLATE "C",
    "quote" text COLLATE "C",
    "fixing" text COLLATE "C",
    "ts_event" bigint,
    "rate" double precision,
    "bid" double precision,
    "ask" double precision,
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
CREATE INDEX ON "fx_rates_past" ("base", "quote", "fixing", "ts_event");
