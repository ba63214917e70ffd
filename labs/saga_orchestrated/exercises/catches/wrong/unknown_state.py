# expect: the states on the way back are
catches = {"Charge": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]}
