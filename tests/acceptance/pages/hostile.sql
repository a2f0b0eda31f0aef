-- %(texts)s are written wherever an agent can write: a hundred targets with a session each, and one session with a hundred
-- of everything.
CREATE TEMPORARY TABLE harm ON COMMIT DROP AS SELECT n, t FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS x (t, n);
INSERT INTO targets (id, repo_id, name, path, enabled, focus, total_features, passing_features, features_at, status, status_reason,
                     last_session_at, last_model, tags)
SELECT md5('t' || n)::uuid, 'r' || n || t, t, '/x/' || t, true, t, 2, 1, now(), 'blocked', t, now(), t, ARRAY[t] FROM harm;
INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id, agent_version, model,
                              model_used, status, started_at, finished_at, duration_ms, input_tokens, cost_usd, reported_cost_usd,
                              cost_gap_usd, request_count, features_completed, commits_made, error_type, error_message, host, branch,
                              head_before, head_after, last_event_at)
SELECT md5('t' || n)::uuid, md5('s' || n)::uuid, 1, 'coding', 'harness', t, t, t, t, t,
       CASE WHEN n = 2 THEN 'running' ELSE 'failed' END, now() - interval '1 hour', CASE WHEN n <> 2 THEN now() END, 9000, 10, 0.5,
       0.7, 0.2, 1, 0, 1, t, t, %(host)s, t, t, t, now() FROM harm;
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, tool_use_id, subagent, outcome, text)
SELECT md5('t1')::uuid, md5('s1')::uuid, n * 10 + k, (ARRAY['tool_used', 'tool_ended', 'text', 'feature_changed', 'agent_failed', t])[k],
       now() - interval '1 hour' + n * interval '1 s', t, t, CASE WHEN n %% 3 = 0 THEN t END, t, t
FROM harm, generate_series(1, 6) AS k;
INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens, cache_read_tokens,
                                 cache_write_tokens, cost_usd, tools, subagent, requested_at)
SELECT md5('t1')::uuid, t, md5('s1')::uuid, t, 1, 1, 1, 1, 0.01, ARRAY[t], t, now() - interval '1 hour' + n * interval '1 s' FROM harm;
INSERT INTO session_usage SELECT md5('t1')::uuid, md5('s1')::uuid, t, current_date, 1, 1, 1, 1, 0.01, 0, 1 FROM harm;
INSERT INTO model_usage SELECT md5('t1')::uuid, t, current_date, 1, 1, 1, 1, 4, 0.01, 1, 1, 0 FROM harm;
INSERT INTO harness_errors (target_id, id, session_id, source, source_offset, error_type, error_code, message, stack_trace, context,
                            occurred_at)
SELECT md5('t' || m)::uuid, md5('e' || n || m)::uuid, md5('s' || m)::uuid, 'x', n, t, t, t, t, jsonb_build_object(t, t), now()
FROM harm, (VALUES (1), (2)) AS s (m);
INSERT INTO harness_commits (target_id, sha, session_id, message, author, files_changed, additions, deletions, branch, committed_at)
SELECT md5('t1')::uuid, n || t, md5('s1')::uuid, t || E'\n\n' || t, t, 1, 2, 3, t, now() FROM harm;
INSERT INTO target_features (target_id, feature_key, name, description, category, status, passes, evidence, position, first_seen_at,
                             content_sha256, session_id)
SELECT md5('t1')::uuid, t, t, t, t, CASE WHEN n %% 2 = 0 THEN 'claimed' ELSE 'rejected' END, false,
       jsonb_build_object('command', t, 'commit', t, 'exit_status', 1, 'output_tail', t, 'reason', t), n, now(), md5(t), md5('s1')::uuid
FROM harm;
INSERT INTO feature_changes (target_id, source, source_offset, feature_key, session_id, change, status, commit, detail, evidence, changed_at)
SELECT md5('t1')::uuid, 'journal', n, t, md5('s1')::uuid, t, 'rejected', t, t,
       jsonb_build_object('command', t, 'commit', t, 'exit_status', CASE WHEN n %% 2 = 0 THEN 1 END, 'output_tail', t, 'reason', t), now()
FROM harm;
