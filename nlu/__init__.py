"""Text in, understanding out: intents, entities, and the triage of a matter."""
