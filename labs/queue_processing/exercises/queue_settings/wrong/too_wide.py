# expect: `max_concurrency`
visibility_timeout = 65
max_receive_count = 5
max_concurrency = 50
