//! For those who bring an environment up, look at it and take it down.
//!
//! CloudFormation makes and deletes resources with the caller's own permissions. These are allowed only where
//! CloudFormation asks on the caller's behalf (`aws:CalledVia`); what rstack itself asks is allowed by itself. What
//! CloudFormation calls for a type of resource is what the type's public schema lists as its handlers' permissions,
//! less those for properties that rstack's templates do not have.

use super::document::{Policy, Statement};
use super::place::Place;
use super::wanted::Wanted;

/// Names of buckets have 63 characters at most: CloudFormation cuts longer beginnings to make room for its own random
/// end, and this much of the stack's name stays.
const LONGEST_UNCUT: usize = 48;
const CUT: usize = 20;

/// What an operator's policy is about.
#[derive(Debug)]
pub struct Operator<'a> {
    pub place: &'a Place,
    pub stack: &'a str,
    pub wanted: &'a [Wanted],
    /// Where templates too large for a request are put.
    pub template_bucket: Option<&'a str>,
}

/// The types among `wanted` that an operator's policy does not cover, each once: those that rstack's templates lack.
#[must_use]
pub fn uncovered(wanted: &[Wanted]) -> Vec<&str> {
    let mut types: Vec<_> = wanted.iter().map(|wanted| wanted.resource_type.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    types.retain(|name| !COVERED.contains(name));
    types
}

const BUCKET: &str = "AWS::S3::Bucket";
const TABLE: &str = "AWS::DynamoDB::Table";
const CLUSTER: &str = "AWS::ElastiCache::CacheCluster";
const REPLICATION_GROUP: &str = "AWS::ElastiCache::ReplicationGroup";
const PARAMETER_GROUP: &str = "AWS::ElastiCache::ParameterGroup";
const SUBNET_GROUP: &str = "AWS::ElastiCache::SubnetGroup";
const SECURITY_GROUP: &str = "AWS::EC2::SecurityGroup";
const SECRET: &str = "AWS::SecretsManager::Secret";

const COVERED: [&str; 9] = [
    BUCKET,
    "AWS::S3::BucketPolicy",
    TABLE,
    CLUSTER,
    REPLICATION_GROUP,
    PARAMETER_GROUP,
    SUBNET_GROUP,
    SECURITY_GROUP,
    SECRET,
];

/// Brings the environment up, looks at it and takes it down; works also while it does not exist.
#[must_use]
pub fn operator(of: &Operator<'_>) -> Policy {
    let mut statements = of.stacks();
    statements.extend(of.template_bucket.map(|bucket| of.template(bucket)));
    if of.has(BUCKET) {
        statements.extend(of.buckets());
    }
    if of.has(TABLE) {
        statements.extend(of.tables());
    }
    if of.has(CLUSTER) || of.has(REPLICATION_GROUP) {
        statements.extend(of.redis());
    }
    if of.has(SECRET) {
        statements.extend(of.secrets());
    }
    Policy::new(statements)
}

impl Operator<'_> {
    fn has(&self, resource_type: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted.resource_type == resource_type)
    }

    /// The names of these resources: given ones, and patterns of those that CloudFormation makes up from the stack's
    /// name and the logical id.
    fn names(&self, resource_type: &str) -> Vec<String> {
        let wanted = self
            .wanted
            .iter()
            .filter(|wanted| wanted.resource_type == resource_type);
        let (given, others): (Vec<_>, Vec<_>) = wanted.partition(|wanted| wanted.name.is_some());
        let mut names: Vec<_> = others.iter().map(|wanted| self.made_up(wanted)).collect();
        names.extend(given.iter().filter_map(|wanted| wanted.name.clone()));
        // A name that a pattern covers needs no mention.
        let prefixes: Vec<_> = names
            .iter()
            .filter_map(|name| name.strip_suffix('*').map(str::to_owned))
            .collect();
        names.retain(|name| name.ends_with('*') || !prefixes.iter().any(|prefix| name.starts_with(prefix)));
        names.sort_unstable();
        names.dedup();
        names
    }

    fn made_up(&self, wanted: &Wanted) -> String {
        let name = format!("{}-{}-", self.stack, wanted.logical_id);
        if wanted.resource_type != BUCKET {
            return format!("{name}*");
        }
        let name = if name.len() > LONGEST_UNCUT {
            &self.stack[..self.stack.len().min(CUT)]
        } else {
            &name
        };
        format!("{}*", name.to_ascii_lowercase())
    }

    fn stacks(&self) -> Vec<Statement> {
        let one = [
            "cloudformation:CreateChangeSet",
            "cloudformation:CreateStack",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeEvents",
            "cloudformation:DescribeStackEvents",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplate",
            "cloudformation:ListStackResources",
            "cloudformation:TagResource",
            "cloudformation:UntagResource",
            "cloudformation:UpdateStack",
        ];
        // `status` without a name and `gc` look for environments among all stacks.
        let all = [
            "cloudformation:DescribeStacks",
            "cloudformation:ListImports",
            "cloudformation:ListStacks",
        ];
        vec![
            Statement::allow("Stack", &one, vec![self.place.stack(self.stack)]),
            Statement::allow("FindStacks", &all, everything()),
        ]
    }

    fn template(&self, bucket: &str) -> Statement {
        let actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
        let keys = self.place.s3(&format!("{bucket}/rstack-templates/*"));
        Statement::allow("LargeTemplates", &actions, vec![keys])
    }

    fn buckets(&self) -> Vec<Statement> {
        let names = self.names(BUCKET);
        let buckets: Vec<_> = names.iter().map(|name| self.place.s3(name)).collect();
        let objects = names.iter().map(|name| self.place.s3(&format!("{name}/*"))).collect();
        let look = [
            "s3:GetBucketObjectLockConfiguration",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
            "s3:ListBucketVersions",
        ];
        let empty = [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:GetObject",
            "s3:GetObjectLegalHold",
            "s3:GetObjectRetention",
            "s3:GetObjectVersion",
        ];
        vec![
            Statement::allow("Bucket", &look, buckets.clone()),
            Statement::allow("Files", &empty, objects),
            Statement::allow("MakeBucket", &MAKE_BUCKET, buckets).through_cloudformation(),
        ]
    }

    fn tables(&self) -> Vec<Statement> {
        let tables: Vec<_> = self.names(TABLE).iter().map(|name| self.place.table(name)).collect();
        let look = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable"];
        vec![
            Statement::allow("Table", &look, tables.clone()),
            Statement::allow("MakeTable", &MAKE_TABLE, tables).through_cloudformation(),
        ]
    }

    /// ElastiCache allows few characters in names, and CloudFormation makes ones up that do not show the stack's. So
    /// only that it is CloudFormation who asks keeps an operator from other clusters.
    fn redis(&self) -> Vec<Statement> {
        let kinds = [
            (CLUSTER, MAKE_CLUSTER.as_slice()),
            (REPLICATION_GROUP, &MAKE_REPLICATION_GROUP),
            (PARAMETER_GROUP, &MAKE_PARAMETER_GROUP),
            (SUBNET_GROUP, &MAKE_SUBNET_GROUP),
        ];
        let mut make = TAG_REDIS.to_vec();
        for (resource_type, actions) in kinds {
            if self.has(resource_type) {
                make.extend(actions);
            }
        }
        let all = || vec![self.place.arn("elasticache", "*")];
        let look = [
            "elasticache:DescribeCacheClusters",
            "elasticache:DescribeCacheParameterGroups",
            "elasticache:DescribeCacheSubnetGroups",
            "elasticache:DescribeReplicationGroups",
        ];
        let network = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
        let interfaces = ["ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces"];
        let mut connect = CONNECT_REDIS.to_vec();
        if self.has(SECURITY_GROUP) {
            connect.extend(MAKE_SECURITY_GROUP);
        }
        let first = self
            .place
            .role("aws-service-role/elasticache.amazonaws.com/AWSServiceRoleForElastiCache*");
        vec![
            Statement::allow("Redis", &look, all()),
            Statement::allow("MakeRedis", &make, all()).through_cloudformation(),
            Statement::allow("Network", &network, everything()),
            Statement::allow("LookAtNetwork", &interfaces, everything()).through_cloudformation(),
            Statement::allow("ConnectRedis", &connect, vec![self.place.arn("ec2", "*")]).through_cloudformation(),
            // The account's first cluster makes the role that ElastiCache works with.
            Statement::allow("FirstRedis", &["iam:CreateServiceLinkedRole"], vec![first]).when(
                "StringEquals",
                "iam:AWSServiceName",
                vec!["elasticache.amazonaws.com".to_owned()],
            ),
        ]
    }

    /// Names of secrets do not show the stack's name either, but secrets carry the stack's tags.
    fn secrets(&self) -> Vec<Statement> {
        let secrets = vec![self.place.arn("secretsmanager", "secret:*")];
        let own = [
            "secretsmanager:DeleteSecret",
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:UntagResource",
            "secretsmanager:UpdateSecret",
        ];
        let make = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"];
        let password = ["secretsmanager:GetRandomPassword"];
        vec![
            Statement::allow("Secret", &own, secrets.clone()).when("StringEquals", TAG, vec![self.stack.to_owned()]),
            Statement::allow("MakeSecret", &make, secrets).through_cloudformation(),
            Statement::allow("MakePassword", &password, everything()).through_cloudformation(),
        ]
    }
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

const TAG: &str = "aws:ResourceTag/rstack:environment";

/// CloudFormation reads every setting of a bucket, one action each: named in full they would not fit into a policy.
const MAKE_BUCKET: [&str; 10] = [
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:Get*Configuration",
    "s3:GetBucket*",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
];

const MAKE_TABLE: [&str; 11] = [
    "dynamodb:CreateTable",
    "dynamodb:DeleteTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeContributorInsights",
    "dynamodb:DescribeKinesisStreamingDestination",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetResourcePolicy",
    "dynamodb:ListTagsOfResource",
    "dynamodb:TagResource",
    "dynamodb:UntagResource",
    "dynamodb:UpdateTable",
];

const TAG_REDIS: [&str; 3] = [
    "elasticache:AddTagsToResource",
    "elasticache:ListTagsForResource",
    "elasticache:RemoveTagsFromResource",
];

const MAKE_CLUSTER: [&str; 3] = [
    "elasticache:CreateCacheCluster",
    "elasticache:DeleteCacheCluster",
    "elasticache:ModifyCacheCluster",
];

const MAKE_REPLICATION_GROUP: [&str; 3] = [
    "elasticache:CreateReplicationGroup",
    "elasticache:DeleteReplicationGroup",
    "elasticache:ModifyReplicationGroup",
];

const MAKE_PARAMETER_GROUP: [&str; 4] = [
    "elasticache:CreateCacheParameterGroup",
    "elasticache:DeleteCacheParameterGroup",
    "elasticache:DescribeCacheParameters",
    "elasticache:ModifyCacheParameterGroup",
];

const MAKE_SUBNET_GROUP: [&str; 3] = [
    "elasticache:CreateCacheSubnetGroup",
    "elasticache:DeleteCacheSubnetGroup",
    "elasticache:ModifyCacheSubnetGroup",
];

/// What ElastiCache asks of EC2 to put a node into a subnet.
const CONNECT_REDIS: [&str; 2] = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"];

const MAKE_SECURITY_GROUP: [&str; 8] = [
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteTags",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
];
