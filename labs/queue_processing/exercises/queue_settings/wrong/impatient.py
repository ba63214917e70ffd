# expect: `max_receive_count`
visibility_timeout = 65
max_receive_count = 1
max_concurrency = 5
