"""HTTP APIs of API Gateway: the API ``apigatewayv2``, and the requests that the APIs answer."""
