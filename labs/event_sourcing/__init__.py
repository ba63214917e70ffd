"""Lesson 11: keep an event store with optimistic locking, projections, snapshots."""
