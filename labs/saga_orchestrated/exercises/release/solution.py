# as deployed: handlers/inventory/release.py
