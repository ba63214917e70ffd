"""What a learner deploys and edits: one folder per pattern, and the toolkit every lesson uses."""
