# The worker has 10 s for a batch, Lambda gathers a batch for up to 5 s,
# and the warehouse serves 5 orders at once.
visibility_timeout = 6 * 10 + 5  # seconds
max_receive_count = 5
max_concurrency = 5  # batches that Lambda works on at once
