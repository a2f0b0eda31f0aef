-- Budgets of targets, as the queue file has them, and what was told about them.

ALTER TABLE targets ADD COLUMN budget jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN targets.budget IS 'The budgets of the queue file: {session, target, day, total}, each {usd, tokens, sessions, hours}';

CREATE TABLE budget_notices (
    target_id  uuid NOT NULL,
    subject    text NOT NULL,
    notice     text NOT NULL CHECK (notice IN ('warning', 'used_up', 'unpriced')),
    bound      numeric NOT NULL,
    session_id uuid,
    message    text NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, subject, notice, bound)
);
COMMENT ON TABLE budget_notices IS 'What was told about budgets, each once; target_id is zero for those of all targets';
