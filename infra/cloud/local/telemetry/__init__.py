"""Metrics, alarms, cost and the views that lessons plot, all derived from the journal."""
