"""The CloudFormation API, answered here: an engine, and a small provider per resource type.

``service``     the API's operations (``requests``: from a call to a checked request; ``change_sets``)
``template``    JSON and YAML read and checked
``intrinsics``  its expressions evaluated (``references``: what they refer to; ``parameters``: their values)
``preflight``   what is not simulated or not valid, before anything is created
``graph``       the order; ``engine`` acts on one resource, ``deployment`` on a whole stack
``changes``     what an update would do; ``outputs`` and their exports
``providers``   one file per service, one class per resource type
"""
