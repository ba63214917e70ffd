# as deployed: handlers/charger/settings.py
