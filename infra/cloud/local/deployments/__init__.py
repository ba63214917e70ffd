"""CodeDeploy for Lambda: deployments that move an alias from one version of a function to another."""
