# as deployed: handlers/charger/rules.py
