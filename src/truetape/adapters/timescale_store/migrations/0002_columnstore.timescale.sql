-- Chunks are told the time in nanoseconds, and kept by column once they are old: a segment is one series.
CREATE FUNCTION truetape_now() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT (extract(epoch FROM now()) * 1000000000)::bigint $$;
SELECT set_integer_now_func('bars', 'truetape_now');
ALTER TABLE "bars" SET (timescaledb.compress, timescaledb.compress_segmentby = 'instrument_id, timeframe', timescaledb.compress_orderby = 'ts_event');
SELECT set_integer_now_func('bar_claims', 'truetape_now');
ALTER TABLE "bar_claims" SET (timescaledb.compress, timescaledb.compress_segmentby = 'instrument_id, timeframe', timescaledb.compress_orderby = 'ts_event');
SELECT set_integer_now_func('quotes', 'truetape_now');
ALTER TABLE "quotes" SET (timescaledb.compress, timescaledb.compress_segmentby = 'instrument_id', timescaledb.compress_orderby = 'ts_event');
SELECT set_integer_now_func('trades', 'truetape_now');
ALTER TABLE "trades" SET (timescaledb.compress, timescaledb.compress_segmentby = 'instrument_id', timescaledb.compress_orderby = 'ts_event');

-- Minute bars as longer bars, cut by the clock; see domain/resampling.py for what open to volume mean, and for bars that
-- are cut by a venue's sessions. What is not refreshed yet is added up when it is read.
CREATE MATERIALIZED VIEW "bars_5m"
    WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    instrument_id,
    time_bucket(300000000000::bigint, ts_event) AS ts_event,
    first(open, ts_event) FILTER (WHERE open IS NOT NULL) AS open,
    max(high) AS high,
    min(low) AS low,
    last(close, ts_event) FILTER (WHERE close IS NOT NULL) AS close,
    CASE WHEN count(volume) = count(*) THEN sum(volume) END AS volume,
    max(ts_known) AS ts_known
FROM bars
WHERE timeframe = '1m' AND coalesce(open, high, low, close) IS NOT NULL
GROUP BY instrument_id, time_bucket(300000000000::bigint, ts_event)
WITH NO DATA;
CREATE MATERIALIZED VIEW "bars_15m"
    WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    instrument_id,
    time_bucket(900000000000::bigint, ts_event) AS ts_event,
    first(open, ts_event) FILTER (WHERE open IS NOT NULL) AS open,
    max(high) AS high,
    min(low) AS low,
    last(close, ts_event) FILTER (WHERE close IS NOT NULL) AS close,
    CASE WHEN count(volume) = count(*) THEN sum(volume) END AS volume,
    max(ts_known) AS ts_known
FROM bars
WHERE timeframe = '1m' AND coalesce(open, high, low, close) IS NOT NULL
GROUP BY instrument_id, time_bucket(900000000000::bigint, ts_event)
WITH NO DATA;
CREATE MATERIALIZED VIEW "bars_30m"
    WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    instrument_id,
    time_bucket(1800000000000::bigint, ts_event) AS ts_event,
    first(open, ts_event) FILTER (WHERE open IS NOT NULL) AS open,
    max(high) AS high,
    min(low) AS low,
    last(close, ts_event) FILTER (WHERE close IS NOT NULL) AS close,
    CASE WHEN count(volume) = count(*) THEN sum(volume) END AS volume,
    max(ts_known) AS ts_known
FROM bars
WHERE timeframe = '1m' AND coalesce(open, high, low, close) IS NOT NULL
GROUP BY instrument_id, time_bucket(1800000000000::bigint, ts_event)
WITH NO DATA;
CREATE MATERIALIZED VIEW "bars_1h"
    WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    instrument_id,
    time_bucket(3600000000000::bigint, ts_event) AS ts_event,
    first(open, ts_event) FILTER (WHERE open IS NOT NULL) AS open,
    max(high) AS high,
    min(low) AS low,
    last(close, ts_event) FILTER (WHERE close IS NOT NULL) AS close,
    CASE WHEN count(volume) = count(*) THEN sum(volume) END AS volume,
    max(ts_known) AS ts_known
FROM bars
WHERE timeframe = '1m' AND coalesce(open, high, low, close) IS NOT NULL
GROUP BY instrument_id, time_bucket(3600000000000::bigint, ts_event)
WITH NO DATA;
