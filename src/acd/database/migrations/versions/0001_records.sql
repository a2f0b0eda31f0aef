-- The records of acd: eight tables of the mission and what stands beside them.
-- target_id is first in every primary key and unique constraint of every table but targets, request_owners and
-- acd_settings, so that the schema can be spread over machines by target (Citus) without a change.

CREATE TABLE acd_settings (
    key   text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON TABLE acd_settings IS 'Facts about this database itself: its id, the time zone in which a day is a day';

CREATE TABLE targets (
    id               uuid PRIMARY KEY,
    repo_id          text NOT NULL UNIQUE,
    name             text NOT NULL,
    path             text NOT NULL,
    priority         integer NOT NULL DEFAULT 99,
    complexity       text NOT NULL DEFAULT 'medium'
                     CHECK (complexity IN ('critical', 'high', 'medium', 'low', 'trivial')),
    enabled          boolean NOT NULL DEFAULT true,
    focus            text,
    prompt           text,
    prd              text,
    feature_list     text,
    until_complete   boolean NOT NULL DEFAULT true,
    serial_group     text,
    tags             text[] NOT NULL DEFAULT '{}',
    verify_command   text,
    agent            text NOT NULL DEFAULT 'claude-code',
    max_sessions     integer NOT NULL DEFAULT 50,
    session_delay_s  double precision NOT NULL DEFAULT 0,
    queue_file       text,
    total_features   integer NOT NULL DEFAULT 0,
    passing_features integer NOT NULL DEFAULT 0,
    percent_complete numeric(5, 2) NOT NULL DEFAULT 0,
    features_at      timestamptz,
    status           text NOT NULL DEFAULT 'pending'
                     CHECK (status IN ('pending', 'active', 'complete', 'paused', 'blocked')),
    status_reason    text,
    last_session_at  timestamptz,
    last_model       text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE targets IS 'Repositories in the queue';
COMMENT ON COLUMN targets.queue_file IS 'Host and path of the queue file that named it last; null when none ever did';
COMMENT ON COLUMN targets.features_at IS 'When the feature list was last seen; null when it never was';

CREATE TABLE harness_sessions (
    target_id          uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    id                 uuid NOT NULL,
    session_number     integer,
    session_type       text NOT NULL CHECK (session_type IN ('initializer', 'coding', 'interactive')),
    origin             text NOT NULL CHECK (origin IN ('harness', 'import', 'api')),
    agent              text NOT NULL,
    agent_session_id   text NOT NULL,
    agent_version      text,
    model              text NOT NULL,
    model_used         text,
    status             text NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
    started_at         timestamptz NOT NULL,
    finished_at        timestamptz,
    duration_ms        bigint CHECK (duration_ms >= 0),
    api_duration_ms    bigint,
    input_tokens       bigint NOT NULL DEFAULT 0,
    output_tokens      bigint NOT NULL DEFAULT 0,
    cache_read_tokens  bigint NOT NULL DEFAULT 0,
    cache_write_tokens bigint NOT NULL DEFAULT 0,
    cost_usd           numeric NOT NULL DEFAULT 0,
    reported_cost_usd  numeric,
    cost_gap_usd       numeric,
    unpriced_requests  integer NOT NULL DEFAULT 0,
    request_count      integer NOT NULL DEFAULT 0,
    turn_count         integer,
    retry_count        integer NOT NULL DEFAULT 0,
    model_fallbacks    integer NOT NULL DEFAULT 0,
    cache_hit_rate     double precision,
    features_before    integer,
    features_after     integer,
    features_completed integer,
    commits_made       integer NOT NULL DEFAULT 0,
    error_type         text,
    error_message      text,
    exit_code          integer,
    host               text,
    branch             text,
    head_before        text,
    head_after         text,
    prompt_sha256      text,
    last_event_at      timestamptz,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, id),
    UNIQUE (target_id, agent, agent_session_id),
    UNIQUE (target_id, session_number)
);
COMMENT ON TABLE harness_sessions IS 'One run of an agent on a target; its token and cost columns equal the sums of its ledger rows';
CREATE INDEX harness_sessions_id ON harness_sessions (id);
CREATE INDEX harness_sessions_newest ON harness_sessions (started_at DESC, id DESC);
CREATE INDEX harness_sessions_by_target ON harness_sessions (target_id, started_at DESC, id DESC);
CREATE INDEX harness_sessions_running ON harness_sessions (target_id) WHERE status = 'running';

CREATE TABLE token_usage_details (
    target_id             uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    request_key           text NOT NULL,
    session_id            uuid NOT NULL,
    model                 text NOT NULL,
    request_ids           text[] NOT NULL DEFAULT '{}',
    is_request            boolean NOT NULL DEFAULT true,
    input_tokens          bigint NOT NULL,
    output_tokens         bigint NOT NULL,
    cache_read_tokens     bigint NOT NULL,
    cache_write_tokens    bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL DEFAULT 0,
    cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
    reasoning_tokens      bigint NOT NULL DEFAULT 0,
    web_searches          bigint NOT NULL DEFAULT 0,
    cost_usd              numeric,
    price_source          text,
    price_date            date,
    tool_name             text GENERATED ALWAYS AS (tools[1]) STORED,
    tools                 text[] NOT NULL DEFAULT '{}',
    subagent              text,
    requested_at          timestamptz NOT NULL,
    PRIMARY KEY (target_id, request_key),
    FOREIGN KEY (target_id, session_id) REFERENCES harness_sessions (target_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE token_usage_details IS 'The ledger: one row a request, and one a model and session for what an agent reports beyond its requests (is_request false)';
CREATE INDEX token_usage_details_session ON token_usage_details (target_id, session_id);
CREATE INDEX token_usage_details_newest ON token_usage_details (requested_at DESC, request_key DESC);

CREATE TABLE session_usage (
    target_id          uuid NOT NULL,
    session_id         uuid NOT NULL,
    model              text NOT NULL,
    usage_date         date NOT NULL,
    input_tokens       bigint NOT NULL,
    output_tokens      bigint NOT NULL,
    cache_read_tokens  bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    cost_usd           numeric NOT NULL,
    unpriced_requests  integer NOT NULL,
    request_count      integer NOT NULL,
    PRIMARY KEY (target_id, session_id, model, usage_date),
    FOREIGN KEY (target_id, session_id) REFERENCES harness_sessions (target_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE session_usage IS 'Ledger rows summed by session, model and day: the step between the ledger and every roll-up';
CREATE INDEX session_usage_day ON session_usage (target_id, usage_date, model);

CREATE TABLE model_usage (
    target_id          uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    model              text NOT NULL,
    usage_date         date NOT NULL,
    input_tokens       bigint NOT NULL,
    output_tokens      bigint NOT NULL,
    cache_read_tokens  bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    total_tokens       bigint NOT NULL,
    cost_usd           numeric NOT NULL,
    request_count      integer NOT NULL,
    session_count      integer NOT NULL,
    PRIMARY KEY (target_id, model, usage_date)
);
COMMENT ON TABLE model_usage IS 'Tokens and cost by target, model and day';
CREATE INDEX model_usage_date ON model_usage (usage_date);

CREATE TABLE progress_snapshots (
    target_id         uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    snapshot_date     date NOT NULL,
    total_features    integer NOT NULL,
    passing_features  integer NOT NULL,
    verified_features integer NOT NULL,
    percent_complete  numeric(5, 2) NOT NULL,
    features_at       timestamptz,
    sessions_today    integer NOT NULL DEFAULT 0,
    tokens_today      bigint NOT NULL DEFAULT 0,
    cost_today        numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (target_id, snapshot_date)
);
COMMENT ON TABLE progress_snapshots IS 'A target''s day: features as they stood, sessions begun, tokens and cost spent';
CREATE INDEX progress_snapshots_newest ON progress_snapshots (snapshot_date DESC);

CREATE TABLE target_features (
    target_id      uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    feature_key    text NOT NULL,
    name           text NOT NULL,
    description    text NOT NULL DEFAULT '',
    category       text,
    priority       integer,
    steps          jsonb NOT NULL DEFAULT '[]',
    status         text NOT NULL
                   CHECK (status IN ('pending', 'claimed', 'passing', 'rejected', 'regressed', 'blocked', 'skipped', 'removed')),
    passes         boolean NOT NULL,
    verified_at    timestamptz,
    evidence       jsonb,
    implemented_at timestamptz,
    session_id     uuid,
    position       integer NOT NULL DEFAULT 0,
    first_seen_at  timestamptz NOT NULL,
    removed_at     timestamptz,
    content_sha256 text NOT NULL,
    PRIMARY KEY (target_id, feature_key)
);
COMMENT ON TABLE target_features IS 'Entries of a target''s feature list; passing without verified_at is the agent''s claim alone';

CREATE TABLE feature_changes (
    target_id   uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    source      text NOT NULL,
    source_offset bigint NOT NULL,
    feature_key text NOT NULL,
    session_id  uuid,
    change      text NOT NULL,
    status      text NOT NULL,
    commit      text,
    detail      text NOT NULL DEFAULT '',
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (target_id, source, source_offset)
);
COMMENT ON TABLE feature_changes IS 'Every change of every feature, from the journal line that tells it';
CREATE INDEX feature_changes_feature ON feature_changes (target_id, feature_key, changed_at);

CREATE TABLE harness_errors (
    target_id     uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    id            uuid NOT NULL,
    session_id    uuid,
    source        text NOT NULL,
    source_offset bigint,
    error_type    text NOT NULL,
    error_code    text,
    message       text NOT NULL,
    stack_trace   text,
    context       jsonb NOT NULL DEFAULT '{}',
    attempt       integer,
    retryable     boolean NOT NULL DEFAULT false,
    resolved      boolean NOT NULL DEFAULT false,
    resolved_at   timestamptz,
    occurred_at   timestamptz NOT NULL,
    PRIMARY KEY (target_id, id),
    UNIQUE NULLS NOT DISTINCT (target_id, source, source_offset)
);
COMMENT ON TABLE harness_errors IS 'Errors of agents and of the harness; one error is one row';
CREATE INDEX harness_errors_id ON harness_errors (id);
CREATE INDEX harness_errors_newest ON harness_errors (occurred_at DESC, id DESC);
CREATE INDEX harness_errors_session ON harness_errors (target_id, session_id);

CREATE TABLE harness_commits (
    target_id     uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    sha           text NOT NULL,
    session_id    uuid,
    message       text NOT NULL,
    author        text NOT NULL,
    files_changed integer NOT NULL,
    additions     integer NOT NULL,
    deletions     integer NOT NULL,
    branch        text,
    committed_at  timestamptz NOT NULL,
    PRIMARY KEY (target_id, sha)
);
COMMENT ON TABLE harness_commits IS 'Commits made in sessions';
CREATE INDEX harness_commits_session ON harness_commits (target_id, session_id);
CREATE INDEX harness_commits_newest ON harness_commits (target_id, committed_at DESC, sha);

CREATE TABLE session_events (
    target_id   uuid NOT NULL,
    session_id  uuid NOT NULL,
    seq         bigint NOT NULL,
    kind        text NOT NULL,
    occurred_at timestamptz,
    tool_name   text,
    tool_use_id text,
    subagent    text,
    duration_ms bigint,
    outcome     text,
    text        text NOT NULL DEFAULT '',
    txid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (target_id, session_id, seq),
    FOREIGN KEY (target_id, session_id) REFERENCES harness_sessions (target_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE session_events IS 'The timeline of a session; seq comes from file offsets, txid orders the live stream';
CREATE INDEX session_events_live ON session_events (txid, target_id, session_id, seq);

CREATE TABLE session_reports (
    target_id       uuid NOT NULL,
    session_id      uuid NOT NULL,
    source          text NOT NULL,
    source_offset   bigint NOT NULL,
    final           boolean NOT NULL,
    models          jsonb NOT NULL,
    own             jsonb,
    duration_ms     bigint,
    api_duration_ms bigint,
    turns           integer,
    error_type      text,
    error_message   text,
    reported_at     timestamptz,
    PRIMARY KEY (target_id, session_id, source, source_offset),
    FOREIGN KEY (target_id, session_id) REFERENCES harness_sessions (target_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE session_reports IS 'What agents say that a session spent, report by report, before it is balanced against the requests';

CREATE TABLE request_owners (
    request_key  text PRIMARY KEY,
    target_id    uuid NOT NULL,
    session_id   uuid NOT NULL,
    first_seen_at timestamptz NOT NULL
);
COMMENT ON TABLE request_owners IS 'Which session a request belongs to, across targets: the one with its earliest line';

CREATE TABLE ledger_files (
    target_id    uuid NOT NULL,
    session_id   uuid NOT NULL,
    host         text NOT NULL,
    name         text NOT NULL,
    inode        numeric NOT NULL,
    size         bigint NOT NULL,
    head_sha256  text NOT NULL,
    head_length  integer NOT NULL,
    read_offset  bigint NOT NULL,
    lines_read   bigint NOT NULL DEFAULT 0,
    lines_left_out bigint NOT NULL DEFAULT 0,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, session_id, host, name)
);
COMMENT ON TABLE ledger_files IS 'How far each file has been read; written in the same transaction as the rows that came of it';

CREATE TABLE left_out_lines (
    target_id   uuid NOT NULL,
    session_id  uuid NOT NULL,
    host        text NOT NULL,
    name        text NOT NULL,
    line_offset bigint NOT NULL,
    length      bigint NOT NULL,
    reason      text NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, session_id, host, name, line_offset)
);
COMMENT ON TABLE left_out_lines IS 'Lines that could not be read: where they stand and why';

CREATE TABLE account_limits (
    target_id   uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    agent       text NOT NULL,
    limit_window text NOT NULL,
    status      text NOT NULL CHECK (status IN ('allowed', 'warning', 'rejected')),
    utilization double precision,
    resets_at   timestamptz,
    seen_at     timestamptz NOT NULL,
    PRIMARY KEY (target_id, agent, limit_window)
);
COMMENT ON TABLE account_limits IS 'Newest news of each limit of an agent''s account; target_id is zero because accounts belong to no target';

INSERT INTO acd_settings (key, value) VALUES ('database_id', gen_random_uuid()::text);
