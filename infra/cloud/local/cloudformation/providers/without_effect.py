"""Properties that are accepted and change nothing, each with the reason: the one place that lists them.

Type -> path of the property -> why it has no effect in a simulation. They still count as a change when
they change, as on AWS, and nothing is called for them.
"""

from __future__ import annotations

from collections.abc import Mapping

TAGS = "tags are labels for people and bills; nothing here reads them"
ENCRYPTION = "data at rest is in this process's memory; encryption changes no behaviour"
OBSERVING = "what it would record is derived from the journal in any case"
CPU = "handlers run on this machine's processor, whatever the architecture"
RUNTIME = "handlers run on this Python; runtime patches are not simulated"
COST = "a storage class changes the price only, and the price list here is that of the standard class"
PROTECTION = "deletion protection is off in a new account, and CloudFormation may bypass it"
MAIL = "nobody receives mail or text messages here"
BROWSER = "there are no login pages here, so no browser is sent anywhere"
BACKUP = "nothing here fails in a way that a backup would repair"

WITHOUT_EFFECT: Mapping[str, Mapping[str, str]] = {
    "AWS::ApiGateway::ApiKey": {"Tags": TAGS},
    "AWS::ApiGateway::RestApi": {"Tags": TAGS},
    "AWS::ApiGateway::Stage": {
        "ClientCertificateId": "no backend here asks who calls it",
        "Tags": TAGS,
    },
    "AWS::ApiGateway::UsagePlan": {"Tags": TAGS},
    "AWS::SQS::Queue": {"Tags": TAGS},
    "AWS::SNS::Topic": {"Tags": TAGS, "DeliveryStatusLogging": OBSERVING},
    "AWS::Lambda::Function": {
        "Tags": TAGS,
        "Code.SourceKMSKeyArn": ENCRYPTION,
        "Code.S3ObjectStorageMode": "where Lambda keeps the archive changes nothing that can be seen",
        "KmsKeyArn": ENCRYPTION,
        "RuntimeManagementConfig": RUNTIME,
    },
    "AWS::Lambda::EventSourceMapping": {
        "Tags": TAGS,
        "KmsKeyArn": ENCRYPTION,
        "LoggingConfig": OBSERVING,
    },
    "AWS::Lambda::Version": {"RuntimePolicy": RUNTIME},
    "AWS::Lambda::LayerVersion": {
        "CompatibleArchitectures": CPU,
        "Content.S3ObjectStorageMode": "where Lambda keeps the archive changes nothing that can be seen",
    },
    "AWS::DynamoDB::Table": {
        "Tags": TAGS,
        "ContributorInsightsSpecification": OBSERVING,
        "GlobalSecondaryIndexes.ContributorInsightsSpecification": OBSERVING,
        "PointInTimeRecoverySpecification.RecoveryPeriodInDays": BACKUP,
        "SSESpecification": ENCRYPTION,
        "StreamSpecification.Tags": TAGS,
        "TableClass": COST,
    },
    "AWS::Events::ApiDestination": {"Tags": TAGS},
    "AWS::Events::Archive": {"KmsKeyIdentifier": ENCRYPTION},
    "AWS::Events::Connection": {"KmsKeyIdentifier": ENCRYPTION, "Tags": TAGS},
    "AWS::Events::EventBus": {
        "DeadLetterConfig": "it keeps events that a customer's key fails to encrypt; that cannot happen here",
        "KmsKeyIdentifier": ENCRYPTION,
        "LogConfig": OBSERVING,
        "Tags": TAGS,
    },
    "AWS::Events::Rule": {"Tags": TAGS},
    "AWS::DynamoDB::GlobalTable": {
        "Replicas.ContributorInsightsSpecification": OBSERVING,
        "Replicas.GlobalSecondaryIndexes.ContributorInsightsSpecification": OBSERVING,
        "Replicas.PointInTimeRecoverySpecification.RecoveryPeriodInDays": BACKUP,
        "Replicas.SSESpecification": ENCRYPTION,
        "Replicas.TableClass": COST,
        "Replicas.Tags": TAGS,
        "SSESpecification": ENCRYPTION,
    },
    "AWS::S3::Bucket": {
        "AccelerateConfiguration": "how far away an uploader is changes nothing here",
        "AccessControl": "one account is here, and policies are asked; a canned ACL adds nobody",
        "AnalyticsConfigurations": OBSERVING,
        "BucketEncryption.ServerSideEncryptionConfiguration.BlockedEncryptionTypes": ENCRYPTION,
        "IntelligentTieringConfigurations": COST,
        "InventoryConfigurations": OBSERVING,
        "LifecycleConfiguration.TransitionDefaultMinimumObjectSize": COST,
        "LoggingConfiguration": OBSERVING,
        "MetricsConfigurations": OBSERVING,
        "WebsiteConfiguration.RoutingRules": "no web site is served here; the configuration is kept",
    },
    "AWS::Kinesis::Stream": {"Tags": TAGS},
    "AWS::Kinesis::StreamConsumer": {"Tags": TAGS},
    "AWS::IAM::Role": {"Tags": TAGS},
    "AWS::IAM::User": {"Tags": TAGS},
    "AWS::KMS::Key": {
        "MultiRegion": "a key is in the Region that it is used in",
        "Origin": ENCRYPTION,
        "RotationPeriodInDays": ENCRYPTION,
        "Tags": TAGS,
    },
    "AWS::Cognito::UserPool": {
        "AccountRecoverySetting": MAIL,
        "EmailConfiguration": MAIL,
        "EmailVerificationMessage": MAIL,
        "EmailVerificationSubject": MAIL,
        "Schema": "attributes are kept as they are given; their types and lengths are not checked",
        "SmsConfiguration": MAIL,
        "SmsVerificationMessage": MAIL,
        "UserAttributeUpdateSettings": MAIL,
        "UserPoolTags": TAGS,
        "UserPoolTier": COST,
        "UsernameConfiguration": "usernames are taken as they are written",
        "VerificationMessageTemplate": MAIL,
        "AdminCreateUserConfig.InviteMessageTemplate": MAIL,
    },
    "AWS::Cognito::UserPoolClient": {
        "CallbackURLs": BROWSER,
        "DefaultRedirectURI": BROWSER,
        "LogoutURLs": BROWSER,
        "ReadAttributes": "a client reads every attribute",
        "SupportedIdentityProviders": BROWSER,
        "WriteAttributes": "a client writes every attribute",
    },
    "AWS::Cognito::UserPoolDomain": {"ManagedLoginVersion": BROWSER},
    "AWS::Cognito::UserPoolUser": {"DesiredDeliveryMediums": MAIL, "MessageAction": MAIL},
    "AWS::AppConfig::Application": {"Tags": TAGS},
    "AWS::AppConfig::ConfigurationProfile": {
        "DeletionProtectionCheck": PROTECTION,
        "KmsKeyIdentifier": ENCRYPTION,
        "Tags": TAGS,
    },
    "AWS::AppConfig::Deployment": {"KmsKeyIdentifier": ENCRYPTION, "Tags": TAGS},
    "AWS::AppConfig::DeploymentStrategy": {"Tags": TAGS},
    "AWS::AppConfig::Environment": {"DeletionProtectionCheck": PROTECTION, "Tags": TAGS},
    "AWS::AppConfig::ExtensionAssociation": {"Tags": TAGS},
    "AWS::SecretsManager::Secret": {"Tags": TAGS},
    "AWS::Logs::LogGroup": {
        "Tags": TAGS,
        "FieldIndexPolicies": "queries give the same answer with an index and without",
        "KmsKeyId": ENCRYPTION,
        "LogGroupClass": COST,
    },
    "AWS::CloudWatch::Alarm": {"Tags": TAGS},
    "AWS::CodeDeploy::Application": {"Tags": TAGS},
    "AWS::CodeDeploy::DeploymentGroup": {"Tags": TAGS},
    "AWS::CloudWatch::CompositeAlarm": {"Tags": TAGS},
    "AWS::CloudWatch::Dashboard": {"Tags": TAGS},
    "AWS::XRay::Group": {"Tags": TAGS},
    "AWS::XRay::SamplingRule": {"Tags": TAGS},
    "AWS::Pipes::Pipe": {"Tags": TAGS, "KmsKeyIdentifier": ENCRYPTION, "LogConfiguration": OBSERVING},
    "AWS::Scheduler::Schedule": {"KmsKeyArn": ENCRYPTION},
    "AWS::Scheduler::ScheduleGroup": {"Tags": TAGS},
    "AWS::StepFunctions::Activity": {"EncryptionConfiguration": ENCRYPTION},
    "AWS::StepFunctions::StateMachine": {"EncryptionConfiguration": ENCRYPTION},
    "AWS::SSM::Parameter": {"Tags": TAGS},
}
