"""The inventory as it should be: each of its operations can be repeated."""

from release import release
from reserve import reserve


def handler(event, context):
    operations = {"reserve": reserve, "release": release}
    operations[event["operation"]](event["order"])
