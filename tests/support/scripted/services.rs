//! The answers of DynamoDB, ElastiCache and EC2.

use serde_json::json;

use super::answer::{Answer, element, json as json_answer, query, wrap};

/// DescribeTable.
pub(crate) fn table(name: &str, status: &str, items: u64, deletion_protection: bool) -> Answer {
    json_answer(json!({ "Table": {
        "TableName": name,
        "TableStatus": status,
        "ItemCount": items,
        "TableSizeBytes": items * 100,
        "DeletionProtectionEnabled": deletion_protection,
        "TableArn": format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}"),
    }}))
}

/// DescribeCacheClusters with one cluster.
pub(crate) fn cache_cluster(id: &str, status: &str) -> Answer {
    query(format!(
        "<CacheClusters><CacheCluster>{}{}<Engine>redis</Engine><EngineVersion>7.1.0</EngineVersion></CacheCluster>\
         </CacheClusters>",
        element("CacheClusterId", Some(id)),
        element("CacheClusterStatus", Some(status)),
    ))
}

/// DescribeReplicationGroups with one group.
pub(crate) fn replication_group(id: &str, status: &str) -> Answer {
    query(format!(
        "<ReplicationGroups><ReplicationGroup>{}{}</ReplicationGroup></ReplicationGroups>",
        element("ReplicationGroupId", Some(id)),
        element("Status", Some(status)),
    ))
}

/// An EC2 set: `ec2("vpcSet", &[&[("vpcId", "vpc-1")]])`.
pub(crate) fn ec2(set: &str, items: &[&[(&str, &str)]]) -> Answer {
    let items: String = items
        .iter()
        .map(|fields| {
            let fields: String = fields.iter().map(|(name, value)| element(name, Some(value))).collect();
            wrap("item", &fields)
        })
        .collect();
    query(format!("<{set}>{items}</{set}>"))
}
