# The worker has 10 s for a batch, Lambda gathers a batch for up to 5 s,
# and the warehouse serves 5 orders at once.
visibility_timeout = ____  # seconds
max_receive_count = ____
max_concurrency = ____  # batches that Lambda works on at once
