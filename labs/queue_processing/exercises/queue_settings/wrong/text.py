# expect: it should be an int
visibility_timeout = "65 seconds"
max_receive_count = 5
max_concurrency = 5
