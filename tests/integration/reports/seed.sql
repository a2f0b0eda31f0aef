-- Three targets with eight sessions: a busy one, one that has never been worked, one that is complete and was imported.
INSERT INTO targets (id, repo_id, name, path, priority, complexity, enabled, focus, tags, verify_command, total_features,
                     passing_features, percent_complete, features_at, status, status_reason, last_session_at, last_model)
VALUES ('a0000000-0000-0000-0000-000000000001', 'shop-api', 'Shop API', '/repos/shop-api', 1, 'high', true, 'payments',
        '{api}', 'pytest -q', 3, 1, 33.33, '2026-03-01 18:00+00', 'active', NULL, '2026-03-01 17:00+00', 'opus'),
       ('a0000000-0000-0000-0000-000000000002', 'docs', 'Docs', '/repos/docs', -5, 'low', false, NULL,
        '{}', NULL, 0, 0, 0, NULL, 'pending', NULL, NULL, NULL),
       ('a0000000-0000-0000-0000-000000000003', 'org/tool', '<b>Tool</b> & Co', '/repos/tool', 5, 'medium', true, NULL,
        '{}', NULL, 2, 2, 100, '2026-02-01 09:00+00', 'complete', NULL, '2026-02-01 08:00+00', 'sonnet');

-- Shop API: session n starts at 10:00 plus n hours; the sixth failed, the seventh still runs.
INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id, model,
                              model_used, status, started_at, finished_at, duration_ms, input_tokens, output_tokens,
                              cache_read_tokens, cache_write_tokens, cost_usd, reported_cost_usd, cost_gap_usd,
                              unpriced_requests, request_count, features_before, features_after, features_completed,
                              commits_made, error_type, error_message, host, prompt_sha256, last_event_at)
SELECT 'a0000000-0000-0000-0000-000000000001', ('50000000-0000-0000-0000-00000000000' || n)::uuid, n,
       CASE n WHEN 1 THEN 'initializer' ELSE 'coding' END, 'harness', 'scripted',
       '50000000-0000-0000-0000-00000000000' || n, 'opus', 'claude-opus-4-8',
       CASE n WHEN 6 THEN 'failed' WHEN 7 THEN 'running' ELSE 'completed' END,
       timestamptz '2026-03-01 10:00+00' + n * interval '1 hour',
       CASE WHEN n < 7 THEN timestamptz '2026-03-01 10:05+00' + n * interval '1 hour' END,
       CASE WHEN n < 7 THEN 300000 END, 100 * n, 10 * n, 1000 * n, 5 * n, 0.01000001 * n, 0.01000001 * n, 0,
       CASE n WHEN 7 THEN 1 ELSE 0 END, CASE n WHEN 7 THEN 2 ELSE 1 END, 0, CASE n WHEN 5 THEN 1 ELSE 0 END,
       CASE n WHEN 5 THEN 1 WHEN 6 THEN -1 ELSE 0 END, CASE n WHEN 5 THEN 2 ELSE 0 END,
       CASE n WHEN 6 THEN 'overloaded' END, CASE n WHEN 6 THEN 'the model is overloaded' END, 'builder', 'ab12',
       timestamptz '2026-03-01 10:04+00' + n * interval '1 hour'
FROM generate_series(1, 7) AS n;

INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id, model,
                              status, started_at, finished_at, duration_ms, input_tokens, cost_usd, request_count)
VALUES ('a0000000-0000-0000-0000-000000000003', '50000000-0000-0000-0000-000000000008', NULL, 'interactive', 'import',
        'claude-code', 'mine', 'sonnet', 'completed', '2026-02-01 08:00+00', '2026-02-01 08:01+00', 60000, 12,
        0.00000012, 1);

-- The ledger. Session 7 has a second request, whose price nobody knows; its tokens are a part of the session's.
INSERT INTO token_usage_details (target_id, request_key, session_id, model, request_ids, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, cache_write_5m_tokens, cost_usd, price_source,
                                 price_date, tools, requested_at)
SELECT s.target_id, 'scripted:m' || s.session_number, s.id, 'claude-opus-4-8', '{req_1}', s.input_tokens - mystery,
       s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.cache_write_tokens, s.cost_usd, 'genai-prices',
       '2026-03-01', '{Bash,Edit}', s.started_at + interval '1 minute'
FROM (SELECT *, CASE session_number WHEN 7 THEN 7 ELSE 0 END AS mystery
      FROM harness_sessions WHERE session_number IS NOT NULL) AS s;
INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, cost_usd, subagent, requested_at)
VALUES ('a0000000-0000-0000-0000-000000000001', 'scripted:m7b', '50000000-0000-0000-0000-000000000007', 'mystery-1',
        7, 0, 0, 0, NULL, 'Explore', '2026-03-01 17:02+00'),
       ('a0000000-0000-0000-0000-000000000003', 'claude-code:m8', '50000000-0000-0000-0000-000000000008',
        'claude-sonnet-4-6', 12, 0, 0, 0, 0.00000012, NULL, '2026-02-01 08:00:30+00');

-- Roll-ups of that ledger, as the harness would make them, but of days near today: reports of days look back from
-- today. Shop API's spending was yesterday, the tool's ten days ago.
INSERT INTO session_usage
SELECT target_id, session_id, model,
       current_date - CASE target_id WHEN 'a0000000-0000-0000-0000-000000000001' THEN 1 ELSE 10 END,
       sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
       coalesce(sum(cost_usd), 0), count(*) FILTER (WHERE cost_usd IS NULL), count(*)
FROM token_usage_details
GROUP BY target_id, session_id, model;

INSERT INTO model_usage
SELECT target_id, model,
       current_date - CASE target_id WHEN 'a0000000-0000-0000-0000-000000000001' THEN 1 ELSE 10 END,
       sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
       sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), coalesce(sum(cost_usd), 0),
       count(*), count(DISTINCT session_id), count(*) FILTER (WHERE cost_usd IS NULL)
FROM token_usage_details
GROUP BY target_id, model;

INSERT INTO progress_snapshots (target_id, snapshot_date, total_features, passing_features, verified_features,
                                percent_complete, features_at, sessions_today, tokens_today, cost_today,
                                unpriced_today)
SELECT u.target_id, u.usage_date, t.total_features, t.passing_features, 0, t.percent_complete, t.features_at,
       (SELECT count(*) FROM harness_sessions s WHERE s.target_id = t.id), sum(u.total_tokens), sum(u.cost_usd),
       sum(u.unpriced_requests)
FROM model_usage u JOIN targets t ON t.id = u.target_id
GROUP BY u.target_id, u.usage_date, t.id;

INSERT INTO target_features (target_id, feature_key, name, category, priority, steps, status, passes, verified_at,
                             evidence, implemented_at, session_id, position, first_seen_at, removed_at, content_sha256)
VALUES ('a0000000-0000-0000-0000-000000000001', 'pay', 'Payments', 'api', 1, '["pay"]', 'passing', true,
        '2026-03-01 15:04+00', '{"command": "pytest -q", "exit_status": 0, "commit": "c2"}', '2026-03-01 15:03+00',
        '50000000-0000-0000-0000-000000000005', 0, '2026-03-01 11:00+00', NULL, 'aa'),
       ('a0000000-0000-0000-0000-000000000001', 'mail', 'Mail', NULL, NULL, '[]', 'pending', false, NULL, NULL, NULL,
        NULL, 1, '2026-03-01 11:00+00', NULL, 'bb'),
       ('a0000000-0000-0000-0000-000000000001', 'login', 'Login', 'api', 2, '[]', 'regressed', false, NULL, NULL,
        '2026-03-01 12:00+00', NULL, 2, '2026-03-01 11:00+00', NULL, 'cc'),
       ('a0000000-0000-0000-0000-000000000001', 'gone', 'Gone', NULL, 0, '[]', 'removed', false, NULL, NULL, NULL,
        NULL, 3, '2026-03-01 11:00+00', '2026-03-01 16:00+00', 'dd');

INSERT INTO feature_changes (target_id, source, source_offset, feature_key, session_id, change, status, commit, changed_at)
VALUES ('a0000000-0000-0000-0000-000000000001', 'journal', 10, 'pay', '50000000-0000-0000-0000-000000000005', 'claimed',
        'claimed', 'c2', '2026-03-01 15:03+00'),
       ('a0000000-0000-0000-0000-000000000001', 'journal', 20, 'pay', '50000000-0000-0000-0000-000000000005', 'verified',
        'passing', 'c2', '2026-03-01 15:04+00');

INSERT INTO harness_errors (target_id, id, session_id, source, source_offset, error_type, error_code, message,
                            stack_trace, context, attempt, retryable, resolved, resolved_at, occurred_at)
VALUES ('a0000000-0000-0000-0000-000000000001', 'e0000000-0000-0000-0000-000000000001',
        '50000000-0000-0000-0000-000000000006', 'stream', 1, 'overloaded', '529', 'the model is <i>overloaded</i>', NULL,
        '{"delay_ms": 500}', 1, true, false, NULL, '2026-03-01 16:01+00'),
       ('a0000000-0000-0000-0000-000000000001', 'e0000000-0000-0000-0000-000000000002', NULL, 'journal', 2, 'internal',
        NULL, 'oops', 'Traceback (most recent call last): ...', '{}', NULL, false, true, '2026-03-02 08:00+00',
        '2026-03-01 16:02+00'),
       ('a0000000-0000-0000-0000-000000000003', 'e0000000-0000-0000-0000-000000000003',
        '50000000-0000-0000-0000-000000000008', 'stream', 3, 'network', NULL, 'connection reset', NULL, '{}', NULL, true,
        false, NULL, '2026-02-01 08:00:10+00');

INSERT INTO harness_commits (target_id, sha, session_id, message, author, files_changed, additions, deletions, branch,
                             committed_at)
VALUES ('a0000000-0000-0000-0000-000000000001', 'c1', '50000000-0000-0000-0000-000000000005', 'Add payments', 'Ann', 2,
        30, 4, 'main', '2026-03-01 15:02+00'),
       ('a0000000-0000-0000-0000-000000000001', 'c2', '50000000-0000-0000-0000-000000000005', 'Test payments', 'Ann', 1,
        12, 0, 'main', '2026-03-01 15:03+00');

INSERT INTO session_events (target_id, session_id, seq, kind, tool_name)
VALUES ('a0000000-0000-0000-0000-000000000001', '50000000-0000-0000-0000-000000000007', 10, 'tool_used', 'Read'),
       ('a0000000-0000-0000-0000-000000000001', '50000000-0000-0000-0000-000000000007', 20, 'tool_used', 'Bash'),
       ('a0000000-0000-0000-0000-000000000001', '50000000-0000-0000-0000-000000000007', 30, 'text', NULL);

INSERT INTO ledger_files (target_id, session_id, host, name, inode, size, head_sha256, head_length, read_offset,
                          lines_read, lines_left_out)
VALUES ('a0000000-0000-0000-0000-000000000001', '50000000-0000-0000-0000-000000000006', 'builder', 'stream.jsonl', 1, 9,
        'x', 9, 9, 40, 3);

-- Of a model that nobody used.
INSERT INTO price_overrides (model, valid_from, input, output, cache_read, cache_write_5m, cache_write_1h, web_search)
VALUES ('own-model', '2026-02-01', 0.5, 2, 0.05, 0.5, 0.5, 0);
