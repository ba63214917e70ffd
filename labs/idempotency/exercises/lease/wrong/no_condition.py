# expect: should be a condition
def may_take(now):
    return True


def refused(mark):
    if mark["status"] != "COMPLETED":
        raise RuntimeError("somebody is at it")
