"""A scripted helpdesk for the widget's browser tests: the real pages, an API that does as told."""
