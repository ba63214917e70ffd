# expect: `visibility_timeout`
visibility_timeout = 10
max_receive_count = 5
max_concurrency = 5
