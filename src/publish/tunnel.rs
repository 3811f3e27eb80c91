//! How to come to a Redis inside a VPC from outside.

use crate::stack::RedisEndpoint;

/// What leads to one Redis.
#[derive(Debug, Clone, Copy)]
pub struct Tunnel<'a> {
    pub endpoint: &'a RedisEndpoint,
    /// An instance inside the VPC that Session Manager reaches.
    pub via: Option<&'a str>,
    pub region: &'a str,
    pub profile: Option<&'a str>,
}

impl Tunnel<'_> {
    /// The URL of its near end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.endpoint.tls { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.endpoint.port)
    }

    /// The command that opens it; `None` when no instance is known.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let RedisEndpoint { address, port, .. } = self.endpoint;
        let profile = self
            .profile
            .map_or_else(String::new, |profile| format!(" --profile {profile}"));
        let via = self.via?;
        Some(format!(
            "aws ssm start-session --region {}{profile} --target {via} \
             --document-name AWS-StartPortForwardingSessionToRemoteHost \
             --parameters '{{\"host\":[\"{address}\"],\"portNumber\":[\"{port}\"],\"localPortNumber\":[\"{port}\"]}}'",
            self.region
        ))
    }

    /// What to do; `again` is the command to run once the tunnel is open.
    #[must_use]
    pub fn advice(&self, again: &str) -> String {
        let url = self.url();
        let then = format!("then, in another terminal: {again} --redis-url {url}");
        match self.command() {
            Some(command) => format!("it is inside a VPC; open a tunnel: {command} — {then}"),
            None => format!(
                "it is inside a VPC; run this from a machine in it, or forward local port {port} to {address}:{port} \
                 through one that is in the environment's security group (`stores: {{redis: {{via: i-…}}}}` in \
                 rstack.yaml names an instance for Session Manager, and the command is shown here), {then}",
                port = self.endpoint.port,
                address = self.endpoint.address,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_instance_host_and_ports() {
        let endpoint = RedisEndpoint {
            address: "r.cache.amazonaws.com".to_owned(),
            port: 6379,
            tls: true,
        };
        let tunnel = Tunnel {
            endpoint: &endpoint,
            via: Some("i-0123456789abcdef0"),
            region: "eu-west-1",
            profile: Some("dev"),
        };
        insta::assert_snapshot!(
            tunnel.command().expect("an instance"),
            @r#"aws ssm start-session --region eu-west-1 --profile dev --target i-0123456789abcdef0 --document-name AWS-StartPortForwardingSessionToRemoteHost --parameters '{"host":["r.cache.amazonaws.com"],"portNumber":["6379"],"localPortNumber":["6379"]}'"#
        );
        let advice = tunnel.advice("rstack seed");
        assert!(advice.ends_with("then, in another terminal: rstack seed --redis-url rediss://127.0.0.1:6379"));
        let advice = Tunnel { via: None, ..tunnel }.advice("rstack seed");
        assert!(advice.contains("forward local port 6379 to r.cache.amazonaws.com:6379"));
    }
}
