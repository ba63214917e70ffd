# as deployed: handlers/charger/keys.py
