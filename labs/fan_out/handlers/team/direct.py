"""A team that is called by the checkout, with one order."""

from work import work


def handler(order, context):
    work(order)
