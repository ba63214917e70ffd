"""One stack per pattern, named as its lab and its lesson."""
