-- Rows of a filled database, made by PostgreSQL itself: the same parameters give the same rows. Chance is a hash of the
-- row's number. Every statement takes all parameters: sessions, targets, requests (ledger rows a session), events,
-- features, days, until.

-- name: targets
-- The queue.
INSERT INTO targets (id, repo_id, name, path, priority, complexity, enabled, focus, tags, agent, total_features,
                     passing_features, percent_complete, features_at, status, last_session_at, last_model)
SELECT md5('target ' || n)::uuid, 'target-' || lpad(n::text, 4, '0'), 'Target ' || n, '/srv/repositories/target-' || n,
       n %% 20, (ARRAY['low', 'medium', 'high'])[1 + n %% 3], n %% 10 <> 0, 'Part ' || n %% 7, ARRAY['tag' || n %% 5],
       'claude-code', f.total, f.passing, round(100.0 * f.passing / greatest(f.total, 1), 2), %(until)s,
       CASE WHEN f.passing = f.total THEN 'complete' WHEN n %% 17 = 0 THEN 'blocked' ELSE 'pending' END,
       %(until)s, 'sonnet'
FROM generate_series(1, %(targets)s) AS n,
     LATERAL (SELECT %(features)s AS total, (%(features)s * (n %% 11) / 10.0)::integer AS passing) AS f;

-- name: features
-- The feature lists: the first ones pass, four of five of them verified.
INSERT INTO target_features (target_id, feature_key, name, description, category, priority, steps, status, passes,
                             verified_at, implemented_at, position, first_seen_at, content_sha256)
SELECT t.id, 'F' || k, 'Feature ' || k, repeat('What the feature is to do. ', 5), 'functional', k,
       '["Open the page", "Do it", "See it"]', CASE WHEN k <= t.passing_features THEN 'passing' ELSE 'pending' END,
       k <= t.passing_features, CASE WHEN k <= t.passing_features AND k %% 5 <> 0 THEN %(until)s::timestamptz END,
       CASE WHEN k <= t.passing_features THEN %(until)s::timestamptz END, k,
       %(until)s::timestamptz - %(days)s * interval '1 day', md5(k::text) || md5(t.repo_id)
FROM targets t, generate_series(1, %(features)s) AS k;

-- name: plan
-- The sessions as they are to be, spread evenly over the days. Their order is that of time.
CREATE TEMPORARY TABLE planned AS
SELECT n, md5('target ' || 1 + n %% %(targets)s)::uuid AS target_id, md5('session ' || n)::uuid AS id,
       1 + n / %(targets)s AS number, 1 + n %% %(targets)s AS target,
       %(until)s::timestamptz - (%(sessions)s - n) * (%(days)s * interval '1 day' / %(sessions)s) - interval '1 hour'
           AS started_at,
       1000 * (300 + (hashint8extended(n, 1) & 2047)) AS duration_ms, hashint8extended(n, 2) & 1023 AS chance,
       (ARRAY['claude-opus-5-5', 'claude-sonnet-5', 'claude-sonnet-5'])[1 + n %% 3] AS model
FROM generate_series(0, %(sessions)s - 1) AS n;

-- name: prices
-- USD a million tokens, in hundred-millionths of a USD a token: whole numbers are summed fastest.
CREATE TEMPORARY TABLE price AS
SELECT * FROM (VALUES ('claude-opus-5-5', 500, 2500, 50, 625), ('claude-sonnet-5', 300, 1500, 30, 375),
                      ('claude-haiku-5', 100, 500, 10, 125)) AS p (model, i, o, r, w);

-- name: ledger
-- The ledger: every seventh request is a subagent's with a small model; one of 997 has no known price.
INSERT INTO token_usage_details (
    target_id, request_key, session_id, model, request_ids, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, cache_write_5m_tokens, cost_usd, price_source, price_date, tools, subagent, requested_at,
    listed_at)
SELECT p.target_id, 'msg_' || c.key, p.id, price.model, ARRAY['req_' || c.key], c.i, c.o, c.r, c.w, c.w,
       CASE WHEN c.number %% 997 <> 0 THEN (c.i * price.i + c.o * price.o + c.r * price.r + c.w * price.w) * 0.00000001
       END, CASE WHEN c.number %% 997 <> 0 THEN 'genai-prices' END,
       CASE WHEN c.number %% 997 <> 0 THEN c.at::date END,
       CASE k %% 4 WHEN 0 THEN '{}'::text[] WHEN 1 THEN '{Bash}' WHEN 2 THEN '{Read}' ELSE '{Edit,Bash}' END,
       CASE WHEN k %% 7 = 0 THEN 'agent-' || k END, c.at, c.at
FROM planned p
CROSS JOIN generate_series(1, %(requests)s) AS k
CROSS JOIN LATERAL (
    SELECT p.n * %(requests)s + k AS number, to_hex(p.n * %(requests)s + k) AS key,
           1 + (hashint8extended(p.n * %(requests)s + k, 3) & 511) AS i,
           20 + (hashint8extended(p.n * %(requests)s + k, 4) & 2047) AS o,
           10000 + (hashint8extended(p.n * %(requests)s + k, 5) & 65535) AS r,
           hashint8extended(p.n * %(requests)s + k, 6) & 4095 AS w,
           p.started_at + p.duration_ms * k / (%(requests)s + 1) * interval '1 millisecond' AS at
) AS c
JOIN price ON price.model = CASE WHEN k %% 7 = 0 THEN 'claude-haiku-5' ELSE p.model END
ORDER BY p.n, k;

-- name: sums
-- The ledger summed by session, model and day, as `rollups.recompute_sessions` does.
INSERT INTO session_usage (target_id, session_id, model, usage_date, input_tokens, output_tokens, cache_read_tokens,
                           cache_write_tokens, cost_usd, unpriced_requests, request_count)
SELECT target_id, session_id, model, requested_at::date, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
       sum(cache_write_tokens), coalesce(sum(cost_usd), 0), count(*) FILTER (WHERE cost_usd IS NULL), count(*)
FROM token_usage_details
GROUP BY target_id, session_id, model, requested_at::date;

-- name: sums_without_ledger
-- The sums that a ledger would have: one row a session, for databases whose ledger nobody reads.
INSERT INTO session_usage (target_id, session_id, model, usage_date, input_tokens, output_tokens, cache_read_tokens,
                           cache_write_tokens, cost_usd, unpriced_requests, request_count)
SELECT p.target_id, p.id, p.model, p.started_at::date, c.i, c.o, c.r, c.w,
       (c.i * price.i + c.o * price.o + c.r * price.r + c.w * price.w) * 0.00000001, (p.n %% 33 = 0)::integer, 30
FROM planned p
CROSS JOIN LATERAL (
    SELECT 30 + (hashint8extended(p.n, 3) & 8191) AS i, 600 + (hashint8extended(p.n, 4) & 65535) AS o,
           300000 + (hashint8extended(p.n, 5) & 1048575) AS r, hashint8extended(p.n, 6) & 65535 AS w
) AS c
JOIN price ON price.model = p.model
ORDER BY p.n;

-- name: sessions
-- The sessions with their totals; the newest of every fourth target still runs, one of twelve has failed.
INSERT INTO harness_sessions (
    target_id, id, session_number, session_type, origin, agent, agent_session_id, agent_version, model, model_used,
    status, started_at, finished_at, duration_ms, api_duration_ms, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, cost_usd, reported_cost_usd, cost_gap_usd, unpriced_requests, request_count, turn_count,
    retry_count, cache_hit_rate, features_before, features_after, features_completed, commits_made, error_type,
    error_message, exit_code, host, branch, head_before, head_after, prompt_sha256, last_event_at, updated_at)
SELECT p.target_id, p.id, p.number, CASE WHEN p.number = 1 THEN 'initializer' ELSE 'coding' END, 'harness',
       'claude-code', p.id::text, '2.1.330', CASE p.model WHEN 'claude-opus-5-5' THEN 'opus' ELSE 'sonnet' END, p.model,
       s.status, p.started_at, e.ended_at, CASE WHEN e.ended_at IS NOT NULL THEN p.duration_ms END,
       p.duration_ms * 9 / 10, coalesce(u.i, 0), coalesce(u.o, 0), coalesce(u.r, 0), coalesce(u.w, 0),
       coalesce(u.cost, 0), u.cost, u.cost - u.cost, coalesce(u.unpriced, 0), coalesce(u.requests, 0), u.requests,
       (p.n %% 10 = 0)::integer, u.r::double precision / nullif(u.i + u.r + u.w, 0), 10, 10 + (p.n %% 2)::integer,
       (p.n %% 2)::integer, (s.status = 'completed')::integer,
       CASE WHEN s.status = 'failed' THEN 'rate_limit' END,
       CASE WHEN s.status = 'failed' THEN 'The account''s limit is used up.' END,
       CASE s.status WHEN 'failed' THEN 1 WHEN 'completed' THEN 0 END, 'bench', 'main', md5('a' || p.n), md5('b' || p.n),
       md5(p.number::text) || md5(p.number::text), coalesce(e.ended_at, p.started_at), coalesce(e.ended_at, p.started_at)
FROM planned p
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.n >= %(sessions)s - %(targets)s AND p.target %% 4 = 0 THEN 'running'
                WHEN p.chance < 85 THEN 'failed' ELSE 'completed' END AS status
) AS s
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.status <> 'running' THEN p.started_at + p.duration_ms * interval '1 millisecond' END AS ended_at
) AS e
LEFT JOIN (
    SELECT target_id, session_id, sum(input_tokens)::bigint AS i, sum(output_tokens)::bigint AS o,
           sum(cache_read_tokens)::bigint AS r, sum(cache_write_tokens)::bigint AS w, sum(cost_usd) AS cost,
           sum(unpriced_requests)::integer AS unpriced, sum(request_count)::integer AS requests
    FROM session_usage
    GROUP BY target_id, session_id
) AS u ON u.target_id = p.target_id AND u.session_id = p.id
ORDER BY p.n;

-- name: commits
-- One commit for every session that was completed.
INSERT INTO harness_commits (target_id, sha, session_id, message, author, files_changed, additions, deletions, branch,
                             committed_at)
SELECT target_id, md5('commit ' || id) || substr(md5(id::text), 1, 8), id, 'Make feature ' || session_number || ' work',
       'Agent', 3, 120, 14, 'main', finished_at
FROM harness_sessions WHERE status = 'completed';

-- name: errors
-- An error for every session that failed, and a retry that the agent got over for every tenth session.
INSERT INTO harness_errors (target_id, id, session_id, source, source_offset, error_type, message, context, attempt,
                            retryable, resolved, resolved_at, occurred_at)
SELECT s.target_id, md5(e.origin || s.id)::uuid, s.id, 'journal:' || s.id, e.place, 'rate_limit',
       'The account''s limit is used up.', jsonb_build_object('origin', e.origin), 1, e.origin = 'retry', e.resolved,
       CASE WHEN e.resolved THEN s.last_event_at END, s.last_event_at
FROM harness_sessions s
CROSS JOIN LATERAL (
    SELECT 'end' AS origin, 1 AS place, s.session_number %% 3 <> 0 AS resolved WHERE s.status = 'failed'
    UNION ALL
    SELECT 'retry', 2, true WHERE s.retry_count = 1
) AS e;

-- name: events
-- The timelines: calls of tools.
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, tool_use_id, duration_ms, outcome,
                            text)
SELECT p.target_id, p.id, k * 1000, 'tool_used', p.started_at + k * interval '20 seconds',
       (ARRAY['Bash', 'Read', 'Edit'])[1 + k %% 3], 'toolu_' || to_hex(p.n * 1000 + k), 1200, 'ok',
       'pytest -q tests/test_orders.py'
FROM planned p, generate_series(1, %(events)s) AS k
ORDER BY p.n, k;

-- name: files
-- How far the files of each session were read: all of them whole, a line left out in one of a hundred sessions.
INSERT INTO ledger_files (target_id, session_id, host, name, inode, size, head_sha256, head_length, read_offset,
                          lines_read, lines_left_out)
SELECT p.target_id, p.id, 'bench', f.name, p.n, 300000, md5(f.name), 4096, 300000, 100,
       (f.name = 'stream.jsonl' AND p.n %% 100 = 0)::integer
FROM planned p, (VALUES ('journal.jsonl'), ('stream.jsonl')) AS f (name);

-- name: snapshot_features
-- Feature counts of the days: they grow evenly to what the targets have now.
UPDATE progress_snapshots p
SET total_features = c.total_features, passing_features = c.passing, verified_features = c.passing * 4 / 5,
    percent_complete = round(100.0 * c.passing / greatest(c.total_features, 1), 2),
    features_at = p.snapshot_date + time '12:00'
FROM (
    SELECT b.target_id, b.snapshot_date, t.total_features,
           t.passing_features * (%(days)s - least(%(until)s::date - b.snapshot_date, %(days)s)) / %(days)s AS passing
    FROM progress_snapshots b JOIN targets t ON t.id = b.target_id
) AS c
WHERE c.target_id = p.target_id AND c.snapshot_date = p.snapshot_date;
