"""Amazon API Gateway, REST APIs: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-rest-api.html"""
