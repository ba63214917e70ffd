# What fraud detection asks of the detail of an order, of release 1 (`total`) or 2 (`totalAmount`):
# above 500 euros, and to another country than DE.
detail = ____
