"""Faster or truer replacements for parts of moto."""
