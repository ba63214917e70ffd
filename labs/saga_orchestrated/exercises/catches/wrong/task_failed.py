# expect: `States.TaskFailed` takes every error but this one
catches = {
    "Reserve": [{"ErrorEquals": ["States.TaskFailed"], "Next": "OrderFailed"}],
    "Charge": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Release"}],
    "Ship": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Refund"}],
}
