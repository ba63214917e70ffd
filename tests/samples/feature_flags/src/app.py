from aws_lambda_powertools.utilities.feature_flags import AppConfigStore, FeatureFlags

store = AppConfigStore(environment="dev", application="product-catalogue", name="features", max_age=120)
flags = FeatureFlags(store=store)


def handler(event, context):
    premium = flags.evaluate(name="premium_features", context={"tier": event["tier"]}, default=False)
    off = flags.evaluate(name="ten_percent_off_campaign", default=False)
    if off and event["price"] is None:
        raise ValueError("no price to take from")
    return {"premium": premium, "price": event["price"] * 0.9 if off else event["price"]}
