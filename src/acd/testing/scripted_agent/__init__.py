"""A coding agent that needs no model: a process that follows a scenario, and speaks like Claude Code 2.1.330.

    SCRIPTED_CONFIG_DIR=DIR python -m acd.testing.scripted_agent -p PROMPT --session-id UUID --model opus
        --session-type coding --scenario FILE [--fallback-model M] [--max-turns N] [--max-budget-usd X]

It works in its current directory, really edits files, really commits, and changes the feature list that the prompt
names in a line `Feature list: <path>` (else the scenario's, else `feature_list.json`). The stream goes to stdout,
transcripts to `SCRIPTED_CONFIG_DIR/projects/`, the truth to `SCRIPTED_CONFIG_DIR/ledger/<session>.jsonl` (or the file
named by `SCRIPTED_LEDGER`): see `acd.testing.ledger`.

A scenario is a JSON file:

    {"seed": 7,
     "targets": {
       "shop": {
         "features": [{"id": "F1", "name": "Pay", "passes": false}],
         "initializer": [{"steps": [{"do": "initialize"}]}],
         "sessions": [
           {"steps": [{"do": "feature"}, {"do": "subagent", "model": "haiku"}], "closing": "Done."},
           {"steps": [{"do": "say"}, {"do": "fail", "error": "usage_limit", "resets_in": 2}]},
           {"steps": [{"do": "feature", "count": 2}]}]},
       "*": {}}}

A target is found by `<folder>/<name of the feature list file>`, else `<folder>` (the current directory's name), else
`*`. Its lists `initializer` and `sessions` are used up one plan a session, counted by files under
`SCRIPTED_CONFIG_DIR/state/`; the last plan repeats. Both may be left out (write the list; work on one feature). A plan
is a list of steps, after which a last request says `closing` (empty: none). Usage is seeded by `seed`, folder, type and
number of the session; steps that make requests take `model` (family or full name) and `usage` (see
`acd.testing.prices.Tokens`; it counts for each request of the step).

Steps, by `do` (keys and their defaults stand with the classes):

    steps.py      feature, initialize, say, bash, tool, sleep
    subagents.py  subagent
    news.py       retry, fallback, limit_warning, denied
    mischief.py   fail, config_error, exit, hang, flood, broken, grandchild
    tampering.py  claim_falsely, unclaim, delete_feature, reword_feature, half_list

TERM and HUP end the agent without a result line (143, 129; the transcript gets its `cost-state`), INT with a result
`error_during_execution` and status 0, as in the genuine program. Commits made by `bash` steps are not in the ledger.
"""
