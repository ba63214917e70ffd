"""What the stock of a lot is, and what may happen to it. Pure functions: no AWS in here."""

EMPTY = {"available": 0, "orders": []}
CHANGES = {"StockReceived": +1, "StockReserved": -1}
"""What one piece of each type of event does to what is available."""


def evolve(stock, event):
    """The stock after one more event. An event is a fact: it is never refused."""
    orders = [event["orderId"]] if "orderId" in event else []
    return {
        "available": stock["available"] + change(event),
        "orders": stock["orders"] + orders,
    }


def fold(events, stock=EMPTY):
    """The stock after all these events."""
    for event in events:
        stock = evolve(stock, event)
    return stock


def change(event):
    """How many pieces more (or fewer) are available because of an event."""
    return CHANGES[event["type"]] * int(event["quantity"])


def decide(stock, command):
    """What a command leads to: (the answer, the event to append or None). A decision may be no."""
    if command["type"] == "receive":
        return "received", {"type": "StockReceived", "quantity": command["quantity"]}
    if command["orderId"] in stock["orders"]:
        return "reserved", None  # asked twice: the stock knows, so nothing happens twice
    if stock["available"] < 1:
        return "sold out", None
    return "reserved", {"type": "StockReserved", "quantity": 1, "orderId": command["orderId"]}
