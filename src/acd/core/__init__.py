"""The words that every other room speaks: models, events, facts, errors, settings. No I/O."""
