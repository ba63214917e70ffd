"""Application Auto Scaling: capacity that follows a metric or a schedule."""
