def policy(principal, effect, resource):
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"plan": "basic", "number": 1, "flag": True},
    }


def handler(event, context):
    print(event["type"], event["methodArn"].split(":")[5].split("/", 1)[1])
    if event["type"] == "REQUEST":
        tenant, token = event["headers"]["X-Tenant"], event["queryStringParameters"]["token"]
        allowed = token == "of-" + tenant and event["pathParameters"]["tenant"] == tenant
        return policy(tenant, "Allow" if allowed else "Deny", event["methodArn"])
    match event["authorizationToken"].lower():
        case "allow":
            return policy("user", "Allow", event["methodArn"])
        case "deny":
            return policy("user", "Deny", event["methodArn"])
        case "unauthorized":
            raise Exception("Unauthorized")
    raise Exception("Error: Invalid token")
