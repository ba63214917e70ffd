# expect: never asked for that many
visibility_timeout = 65
max_receive_count = 5
max_concurrency = 2
