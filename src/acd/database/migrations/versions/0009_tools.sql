-- Rules of a queue entry for its agent's tools (`allowTools`, `denyTools`), in the agent's own notation.
ALTER TABLE targets ADD COLUMN allow_tools text[] NOT NULL DEFAULT '{}';
ALTER TABLE targets ADD COLUMN deny_tools text[] NOT NULL DEFAULT '{}';
