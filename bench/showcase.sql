-- What makes of a filled database (`corpus.sql`) a fleet that one can look at: names as people give them, targets that
-- are stuck, features that were lost, errors that differ. No parameters. For pictures only; nothing is measured on it.

-- name: targets
-- Names, and three targets that need a look.
WITH named AS (
    SELECT t.id, n.*
    FROM (SELECT id, row_number() OVER (ORDER BY repo_id) AS place FROM targets) AS t
    JOIN (VALUES
        (1, 'shop-api', 'Shop API', 'payments', 'complete', NULL),
        (2, 'billing', 'Billing', 'invoices', 'active', NULL),
        (3, 'mobile/android', 'Android app', 'offline sync', 'active', NULL),
        (4, 'mobile/ios', 'iOS app', 'offline sync', 'active', NULL),
        (5, 'search', 'Search service', 'ranking', 'blocked', 'Failed 5 times in a row, last with rate_limit: the account''s limit is used up'),
        (6, 'docs-site', 'Docs site', 'guides', 'active', NULL),
        (7, 'data-import', 'Data import', 'csv, parquet', 'active', NULL),
        (8, 'admin', 'Admin console', 'roles', 'blocked', '3 sessions without progress: features F12 and F14 were rejected three times; look at their evidence'),
        (9, 'mailer', 'Mailer', 'templates', 'paused', 'disabled in the queue file')
    ) AS n (place, repo_id, name, focus, status, reason) ON n.place = t.place
)
UPDATE targets t
SET repo_id = n.repo_id, name = n.name, focus = n.focus, status = n.status, status_reason = n.reason, priority = n.place,
    enabled = n.status <> 'paused', path = '/srv/repositories/' || n.repo_id, verify_command = 'pytest -q'
FROM named n WHERE n.id = t.id;

-- name: features
-- What a feature is called, and some that were lost or turned down again.
UPDATE target_features f
SET name = (ARRAY['Sign in with a passkey', 'Export orders as CSV', 'Show unread counts', 'Search by tag', 'Undo the last change',
                  'Keep drafts offline', 'Import contacts', 'Dark theme', 'Rate limits per key', 'Webhooks with retries'])[1 + f.position %% 10]
           || CASE WHEN f.position > 10 THEN ' (' || f.position / 10 || ')' ELSE '' END,
    implemented_at = f.implemented_at - (30 - f.position) * interval '9 hours',
    verified_at = f.verified_at - (30 - f.position) * interval '9 hours',
    session_id = (SELECT s.id FROM harness_sessions s WHERE s.target_id = f.target_id ORDER BY s.started_at DESC
                  OFFSET greatest(0, 30 - f.position) LIMIT 1);
UPDATE target_features f
SET status = c.status, passes = false, verified_at = NULL,
    evidence = jsonb_build_object('command', 'pytest -q tests/test_' || lower(f.feature_key) || '.py', 'exit_status', 1, 'duration_ms', 4210,
        'commit', md5(f.feature_key), 'output_tail', E'E       assert response.status_code == 200\nE       assert 500 == 200\n1 failed, 11 passed in 4.21s', 'reason', '')
FROM targets t, (VALUES ('search', 'F22', 'regressed'), ('admin', 'F12', 'rejected'), ('admin', 'F14', 'rejected'),
                        ('billing', 'F25', 'claimed'), ('data-import', 'F26', 'skipped')) AS c (repo_id, feature_key, status)
WHERE t.id = f.target_id AND t.repo_id = c.repo_id AND f.feature_key = c.feature_key;
UPDATE target_features f
SET status = 'passing', passes = true, verified_at = now() - f.position * interval '7 hours',
    implemented_at = now() - f.position * interval '7 hours'
FROM targets t WHERE t.id = f.target_id AND t.repo_id = 'shop-api';
UPDATE progress_snapshots p
SET passing_features = p.total_features * (22 - least(21, current_date - p.snapshot_date)) / 22,
    verified_features = p.total_features * (22 - least(21, current_date - p.snapshot_date)) / 22
FROM targets t WHERE t.id = p.target_id AND t.repo_id = 'shop-api';
UPDATE targets SET passing_features = total_features, percent_complete = 100 WHERE repo_id = 'shop-api';
UPDATE target_features SET evidence = jsonb_build_object('command', 'pytest -q tests/test_' || lower(feature_key) || '.py',
    'exit_status', 0, 'duration_ms', 3180, 'commit', md5(feature_key), 'output_tail', '12 passed in 3.18s', 'reason', '')
WHERE verified_at IS NOT NULL;

-- name: commits
-- Messages as agents write them.
UPDATE harness_commits c
SET message = (ARRAY['Add passkey sign-in', 'Export orders as CSV', 'Count unread messages once', 'Search by tag', 'Undo the last change',
                     'Keep drafts while offline', 'Import contacts from vCard', 'Follow the system''s theme', 'Limit requests per key',
                     'Retry webhooks with backoff'])[1 + abs(hashtext(c.sha)) %% 10],
    files_changed = 1 + abs(hashtext(c.sha)) %% 7, additions = 20 + abs(hashtext(c.sha)) %% 340, deletions = abs(hashtext(c.sha)) %% 60;

-- name: errors
-- Not all of one kind.
UPDATE harness_errors e
SET error_type = k.error_type, message = k.message
FROM (VALUES (0, 'rate_limit', 'The account''s limit is used up.'), (1, 'overloaded', '529: the model is overloaded'),
             (2, 'network', 'connection reset by peer'), (3, 'verification', 'pytest ended with status 1: 2 failed, 31 passed')) AS k (n, error_type, message)
WHERE k.n = abs(hashtext(e.id::text)) %% 4;

-- name: running
-- What runs has begun some minutes ago; nothing runs where nothing can.
UPDATE harness_sessions s
SET status = 'completed', finished_at = s.started_at + interval '12 minutes', duration_ms = 720000
FROM targets t WHERE t.id = s.target_id AND s.status = 'running' AND t.status <> 'active';
UPDATE harness_sessions s
SET status = 'running', finished_at = NULL, duration_ms = NULL
FROM targets t
WHERE t.id = s.target_id AND t.repo_id IN ('billing', 'data-import')
  AND s.session_number = (SELECT max(l.session_number) FROM harness_sessions l WHERE l.target_id = t.id);
UPDATE harness_sessions s
SET started_at = now() - interval '7 minutes' - abs(hashtext(s.id::text)) %% 1200 * interval '1 second', last_event_at = now(),
    features_completed = NULL, reported_cost_usd = NULL, cost_gap_usd = NULL
WHERE status = 'running';
