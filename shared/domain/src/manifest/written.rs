//! How the texts of fields are read: numbers, durations, listeners, paths.

use jiff::SignedDuration;

use super::{
    naming::shown,
    template::{Written, Wrong},
};
use crate::step::InstanceCount;

/// Longest pause or limit, in milliseconds: a week.
const LONGEST_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// Most tasks, retries and the like; ECS itself runs at most 5,000 tasks in a service.
const MOST: u32 = 10_000;

/// Some text on one line.
pub enum Words {}

impl Written for Words {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        if text.trim().is_empty() {
            return Err(Wrong::new("the text is empty"));
        }
        if text.chars().any(char::is_control) {
            return Err(Wrong::new("the text holds a line break or another control character"));
        }
        Ok(text.trim().to_owned())
    }
}

/// Any text.
pub enum FreeText {}

impl Written for FreeText {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        Ok(text.to_owned())
    }
}

/// A number from 0 to 10,000.
pub enum Whole {}

impl Written for Whole {
    type Value = u32;

    fn read(text: &str) -> Result<u32, Wrong> {
        let number = text.trim().parse().ok().filter(|number| *number <= MOST);
        number.ok_or_else(|| Wrong::new(format!("{} is not a whole number from 0 to {MOST}", shown(text))))
    }
}

/// A port.
pub enum PortNumber {}

impl Written for PortNumber {
    type Value = u16;

    fn read(text: &str) -> Result<u16, Wrong> {
        let port = text.trim().parse().ok().filter(|port| *port > 0);
        port.ok_or_else(|| Wrong::new(format!("{} is not a port: a number from 1 to 65535", shown(text))))
    }
}

/// A listener of a load balancer: its port or its ARN.
pub enum Listener {}

impl Written for Listener {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let is_arn = text.starts_with("arn:") && text.contains(":listener/");
        if is_arn || PortNumber::read(text).is_ok() {
            return Ok(text.to_owned());
        }
        Err(Wrong::new(format!("{} is not a listener", shown(text)))
            .hint("its port (80), or its ARN (arn:aws:elasticloadbalancing:...:listener/...)"))
    }
}

/// A rule of a listener: its priority or its ARN.
pub enum ListenerRule {}

impl Written for ListenerRule {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let is_arn = text.starts_with("arn:") && text.contains(":listener-rule/");
        // 50,000 is the highest priority that AWS takes.
        if is_arn || text.parse::<u32>().is_ok_and(|priority| (1..=50_000).contains(&priority)) {
            return Ok(text.to_owned());
        }
        Err(Wrong::new(format!("{} is not a listener rule", shown(text)))
            .hint("its priority (10), or its ARN (arn:aws:elasticloadbalancing:...:listener-rule/...)"))
    }
}

/// A share of the traffic in percent: 1 to 99, with or without the sign.
pub enum Share {}

impl Written for Share {
    type Value = u8;

    fn read(text: &str) -> Result<u8, Wrong> {
        let digits = text.trim().trim_end_matches('%').trim_end();
        match digits.parse::<u8>() {
            Ok(share) if (1..=99).contains(&share) => Ok(share),
            _ => Err(Wrong::new(format!("{} is not a share of the traffic", shown(text)))
                .hint("a percentage from 1 to 99 (25); all of it comes by itself at the end")),
        }
    }
}

/// The weight of a DNS record: 0 to 255.
pub enum RecordWeight {}

impl Written for RecordWeight {
    type Value = u8;

    fn read(text: &str) -> Result<u8, Wrong> {
        text.trim()
            .parse()
            .map_err(|_| Wrong::new(format!("{} is not the weight of a record", shown(text))).hint("a number from 0 to 255"))
    }
}

/// A DNS name that is absolute: with or without the trailing dot, in lower case afterwards.
pub enum DnsName {}

impl Written for DnsName {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        // As Route 53 has it, an underscore is no fault.
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() <= 254 && name.contains('.') && name.split('.').all(label) {
            return Ok(format!("{name}."));
        }
        Err(Wrong::new(format!("{} is not a full domain name", shown(text))).hint("the name with its zone: myapp.example.com."))
    }
}

/// ARN of a Cloud Map service.
pub enum RegistryArn {}

impl Written for RegistryArn {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let mut parts = text.splitn(6, ':');
        let is = parts.next() == Some("arn")
            && parts.next().is_some_and(|partition| partition.starts_with("aws"))
            && parts.next() == Some("servicediscovery")
            && parts.nth(2).is_some_and(|service| service.starts_with("service/srv-"));
        if is {
            return Ok(text.to_owned());
        }
        Err(Wrong::new(format!("{} is not a Cloud Map service", shown(text)))
            .hint("its ARN: arn:aws:servicediscovery:REGION:ACCOUNT:service/srv-..."))
    }
}

/// Instances of *Upgrade Containers*: a count, or a percentage of the setup's.
pub enum Instances {}

impl Written for Instances {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        match InstanceCount::parse(text) {
            Some(_) => Ok(text.trim().to_owned()),
            None => Err(Wrong::new(format!("{} is not a number of instances", shown(text)))
                .hint("a count (3), or a percentage of the setup's desired count (50%)")),
        }
    }
}

/// A length of time in milliseconds.
pub enum Duration {}

impl Written for Duration {
    type Value = u64;

    fn read(text: &str) -> Result<u64, Wrong> {
        let text = text.trim();
        let wrong = || Wrong::new(format!("{} is not a length of time", shown(text)));
        if text.parse::<f64>().is_ok() {
            return Err(wrong().hint(format!("write the unit: {text}s, {text}m")));
        }
        let duration: SignedDuration = text.parse().map_err(|_| wrong().hint("as 90s, 10m, 1h 30m or 200ms"))?;
        let ms = u64::try_from(duration.as_millis()).map_err(|_| wrong().hint("it can't be negative"))?;
        if ms > LONGEST_MS { Err(wrong().hint("a week is the longest")) } else { Ok(ms) }
    }
}

/// A length of time in minutes: a bare number, or a duration that is rounded up. At least 1.
pub enum Minutes {}

impl Written for Minutes {
    type Value = u32;

    fn read(text: &str) -> Result<u32, Wrong> {
        let minutes = match text.trim().parse::<u32>() {
            Ok(minutes) => u64::from(minutes),
            Err(_) => Duration::read(text)?.div_ceil(60_000),
        };
        u32::try_from(minutes)
            .ok()
            .filter(|minutes| (1..=MOST).contains(minutes))
            .ok_or_else(|| Wrong::new(format!("{} is not a number of minutes from 1 to {MOST}", shown(text))))
    }
}

/// `true` or `false`.
pub enum YesNo {}

impl Written for YesNo {
    type Value = bool;

    fn read(text: &str) -> Result<bool, Wrong> {
        match text.trim() {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            other => Err(Wrong::new(format!("{} is neither true nor false", shown(other)))),
        }
    }
}

/// The path of a URL.
pub enum UrlPath {}

impl Written for UrlPath {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let plain = text.chars().all(|c| c.is_ascii_graphic());
        if text.starts_with('/') && !text.starts_with("//") && plain {
            return Ok(text.to_owned());
        }
        Err(Wrong::new(format!("{} is not a path", shown(text)))
            .hint("it begins with one / and is percent-encoded: /healthz?deep=1"))
    }
}

/// An `http` or `https` URL.
pub enum Url {}

impl Written for Url {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        match host {
            Some(host) if !host.is_empty() && !host.contains('@') && text.chars().all(|c| c.is_ascii_graphic()) => {
                Ok(text.to_owned())
            }
            Some(host) if host.contains('@') => Err(Wrong::new("the URL holds a user name or password, which would be logged")),
            _ => Err(Wrong::new(format!("{} is not a URL: it begins with http:// or https:// and a host", shown(text)))),
        }
    }
}

/// A status of HTTP.
pub enum HttpStatus {}

impl Written for HttpStatus {
    type Value = u16;

    fn read(text: &str) -> Result<u16, Wrong> {
        let status = text.trim().parse().ok().filter(|status| (100..=599).contains(status));
        status.ok_or_else(|| Wrong::new(format!("{} is not an HTTP status: a number from 100 to 599", shown(text))))
    }
}

/// The ARN of a role.
pub enum RoleArn {}

impl Written for RoleArn {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        match fields[..] {
            ["arn", _, "iam", "", account, role]
                if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && role.starts_with("role/") =>
            {
                Ok(text.to_owned())
            }
            _ => Err(Wrong::new(format!("{} is not the ARN of a role", shown(text)))
                .hint("as arn:aws:iam::123456789012:role/deployer")),
        }
    }
}

/// An AWS region, as `eu-west-1`.
pub enum Region {}

impl Written for Region {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let words = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if words && text.contains('-') && text.ends_with(|c: char| c.is_ascii_digit()) {
            return Ok(text.to_owned());
        }
        Err(Wrong::new(format!("{} is not an AWS region", shown(text))).hint("as eu-west-1"))
    }
}

/// A container image without tag or digest; `${artifact.tag}` may stand in it.
pub enum Image {}

impl Written for Image {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let text = text.trim();
        let wrong = |message: String| Err(Wrong::new(message));
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@+".contains(c)) {
            return wrong(format!("{} is not a container image", shown(text)));
        }
        if text.contains('@') {
            let hint = "the tag is given with each deployment: leave the digest away";
            return Err(Wrong::new(format!("{} names a digest", shown(text))).hint(hint));
        }
        // A colon after the last slash begins a tag; before it, a port of the registry.
        match text.rsplit('/').next().and_then(|last| last.split_once(':')) {
            Some((_, tag)) => Err(Wrong::new(format!("{} has the fixed tag {}", shown(text), shown(tag)))
                .hint("the tag is given with each deployment: leave it away, or write ${artifact.tag} for it")),
            None => Ok(text.to_owned()),
        }
    }
}

/// What is wrong with a tag of an image, if anything.
pub fn tag_problem(tag: &str) -> Option<Wrong> {
    let first = tag.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let all = tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if tag.is_empty() {
        return Some(Wrong::new("the artifact's tag is empty").hint("give the tag of the image to deploy"));
    }
    if first && all && tag.len() <= 128 {
        return None;
    }
    Some(
        Wrong::new(format!("{} is not a tag of an image", shown(tag)))
            .hint("letters, digits, \"_\", \".\" and \"-\", at most 128, beginning with a letter, digit or \"_\""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(Duration::read("10m"), Ok(600_000));
        assert_eq!(Duration::read("1h 30m"), Ok(5_400_000));
        assert_eq!(Duration::read("200ms"), Ok(200));
        assert_eq!(Duration::read("0s"), Ok(0));
        assert_eq!(Duration::read("30").expect_err("no unit").hint.as_deref(), Some("write the unit: 30s, 30m"));
        for wrong in ["", "-5s", "soon", "9999999h", "8d", "nan"] {
            assert!(Duration::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn minutes_are_numbers_or_durations() {
        assert_eq!(Minutes::read("10"), Ok(10));
        assert_eq!(Minutes::read("90s"), Ok(2));
        assert!(Minutes::read("0").is_err());
        assert!(Minutes::read("4294967296").is_err());
    }

    #[test]
    fn an_image_has_no_tag_of_its_own() {
        assert!(Image::read("harness/todolist-sample").is_ok());
        assert!(Image::read("localhost:5000/a/b").is_ok());
        assert!(Image::read("a:4").expect_err("a tag").message.contains("fixed tag \"4\""));
        assert!(Image::read("a@sha256:00").is_err());
        assert!(Image::read("a b").is_err());
        assert!(tag_problem("1.2-rc_3").is_none());
        assert!(tag_problem("").is_some() && tag_problem("-1").is_some() && tag_problem("a:b").is_some());
    }

    #[test]
    fn paths_urls_listeners_and_roles() {
        assert!(UrlPath::read("/healthz?x=1").is_ok());
        for wrong in ["healthz", "", "//evil.example/", "/a b", "/a\r\nHost: x"] {
            assert!(UrlPath::read(wrong).is_err(), "{wrong}");
        }
        assert!(Url::read("https://a.example:8443/x").is_ok());
        for wrong in ["ftp://a", "http://", "https://u:p@a/", "http:///x"] {
            assert!(Url::read(wrong).is_err(), "{wrong}");
        }
        assert!(Listener::read("8080").is_ok());
        assert!(Listener::read("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/b/c").is_ok());
        assert!(Listener::read("prod").is_err() && Listener::read("0").is_err() && Listener::read("70000").is_err());
        assert!(ListenerRule::read("10").is_ok() && ListenerRule::read("0").is_err() && ListenerRule::read("default").is_err());
        assert_eq!(DnsName::read("MyApp.bg-namespace_upper").ok().as_deref(), Some("myapp.bg-namespace_upper."));
        assert!(DnsName::read("myapp").is_err() && DnsName::read("a..b").is_err() && DnsName::read("-a.b").is_err());
        assert!(RegistryArn::read("arn:aws:servicediscovery:us-east-1:525:service/srv-x").is_ok());
        assert!(RegistryArn::read("srv-x").is_err() && RegistryArn::read("arn:aws:ecs:us-east-1:525:service/srv-x").is_err());
        assert!(Share::read("25%").is_ok() && Share::read("100").is_err() && RecordWeight::read("256").is_err());
        assert!(RoleArn::read("arn:aws-cn:iam::123456789012:role/path/x").is_ok());
        assert!(RoleArn::read("deployer").is_err());
        assert!(Region::read("us-gov-west-1").is_ok() && Region::read("Ireland").is_err());
    }
}
