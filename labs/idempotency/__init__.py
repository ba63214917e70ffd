"""Lesson 02: make any handler safe to run twice."""
