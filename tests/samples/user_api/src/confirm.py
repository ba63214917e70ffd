def handler(event, context):
    email = event["request"]["userAttributes"]["email"]
    event["response"]["autoConfirmUser"] = email.endswith("@example.com")
    event["response"]["autoVerifyEmail"] = True
    return event
