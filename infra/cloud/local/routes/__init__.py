"""Who delivers to whom: the services that carry events from one resource to the next, one folder each."""
