//! How a version behaves in the simulated AWS, bad behaviour included. A user chooses it by the end of the image's tag
//! (`registry.example/shop:7-crash`), or container by container by environment variables, which also set how much and when.

use serde_json::Value;

use super::obstacle::Obstacle;

/// How a container behaves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conduct {
    /// What keeps it from being started at all.
    pub obstacle: Option<Obstacle>,
    /// By how much its start is slower than usual, in AWS's seconds.
    pub start_seconds: f64,
    /// How it ends by itself, if it does.
    pub exit: Option<Exit>,
    /// How it answers health checks.
    pub health: Health,
    /// The share of requests beside health checks that it answers with 500, from 0 to 1.
    pub failing_share: f64,
}

/// How a container ends by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exit {
    /// Its exit code.
    pub code: u8,
    /// How long it runs before, in AWS's seconds; zero: it ends before its task runs.
    pub after: f64,
}

/// How a container answers health checks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Health {
    /// Well.
    #[default]
    Good,
    /// With 503 from the start.
    Bad,
    /// Well, and with 500 once it has run for so many of AWS's seconds.
    SickAfter(f64),
}

/// When a version that goes wrong later goes wrong, unless a variable says otherwise, in AWS's seconds.
const LATER: f64 = 60.0;

/// What a tag's end does to a conduct.
type Ending = (&'static str, fn(&mut Conduct));

/// The one table of tag endings.
const ENDINGS: [Ending; 10] = [
    ("-missing", |conduct| conduct.obstacle = Some(Obstacle::Missing)),
    ("-no-secret", |conduct| conduct.obstacle = Some(Obstacle::NoSecret)),
    ("-no-permission", |conduct| conduct.obstacle = Some(Obstacle::NoPermission)),
    ("-no-capacity", |conduct| conduct.obstacle = Some(Obstacle::NoCapacity)),
    ("-slow", |conduct| conduct.start_seconds = LATER),
    ("-crash", |conduct| conduct.exit = Some(Exit { code: 1, after: 0.0 })),
    ("-crash-later", |conduct| conduct.exit = Some(Exit { code: 1, after: LATER })),
    ("-unhealthy", |conduct| conduct.health = Health::Bad),
    ("-sick-later", |conduct| conduct.health = Health::SickAfter(LATER)),
    ("-500", |conduct| conduct.failing_share = 1.0),
];

/// Reads a variable's value into a conduct; false: it can't be read.
type Set = fn(&mut Conduct, &str) -> bool;

/// The one table of variables: name, what its value has to be, and what it does. They change what the tag says.
const VARIABLES: [(&str, &str, Set); 7] = [
    ("SANDBOX_START", "missing, no-secret, no-permission, no-capacity or ok", |conduct, value| {
        let found = Obstacle::named(value);
        conduct.obstacle = found;
        found.is_some() || value == "ok"
    }),
    ("SANDBOX_START_SECONDS", "seconds", |conduct, value| seconds(value).map(|slow| conduct.start_seconds = slow).is_some()),
    ("SANDBOX_CRASH", "an exit code from 0 to 255", |conduct, value| {
        let after = conduct.exit.map_or(0.0, |exit| exit.after);
        value.parse().map(|code| conduct.exit = Some(Exit { code, after })).is_ok()
    }),
    ("SANDBOX_CRASH_AFTER_SECONDS", "seconds", |conduct, value| {
        let code = conduct.exit.map_or(1, |exit| exit.code);
        seconds(value).map(|after| conduct.exit = Some(Exit { code, after })).is_some()
    }),
    ("SANDBOX_HEALTH", "fail or ok", |conduct, value| {
        conduct.health = if value == "fail" { Health::Bad } else { Health::Good };
        matches!(value, "fail" | "ok")
    }),
    ("SANDBOX_SICK_AFTER_SECONDS", "seconds", |conduct, value| {
        seconds(value).map(|after| conduct.health = Health::SickAfter(after)).is_some()
    }),
    ("SANDBOX_FAIL_SHARE", "a share from 0 to 1", |conduct, value| {
        let share = value.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(|share| conduct.failing_share = share).is_some()
    }),
];

impl Conduct {
    /// How a container of a task definition behaves.
    ///
    /// # Errors
    /// A text that names a variable of the simulator whose value means nothing.
    pub fn of(container: &Value) -> Result<Self, String> {
        let mut conduct = Self::default();
        let tag = version(container);
        if let Some((_, set)) = ENDINGS.iter().find(|(ending, _)| tag.ends_with(ending)) {
            set(&mut conduct);
        }
        for (name, expected, set) in VARIABLES {
            let variables = container["environment"].as_array().into_iter().flatten();
            let value = variables.filter(|variable| variable["name"] == name).find_map(|variable| variable["value"].as_str());
            if value.is_some_and(|value| !set(&mut conduct, value)) {
                return Err(format!("{name}={}: {expected} is expected.", value.unwrap_or_default()));
            }
        }
        Ok(conduct)
    }
}

/// The tag of a container's image.
pub fn version(container: &Value) -> &str {
    let image = container["image"].as_str().unwrap_or_default();
    let image = image.split_once('@').map_or(image, |(named, _)| named);
    image.rsplit('/').next().unwrap_or(image).rsplit_once(':').map_or("latest", |(_, tag)| tag)
}

fn seconds(value: &str) -> Option<f64> {
    value.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tagged(tag: &str, variables: &[(&str, &str)]) -> Result<Conduct, String> {
        let listed: Vec<Value> = variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        Conduct::of(&json!({"image": format!("registry.example:5000/a/shop:{tag}"), "environment": listed}))
    }

    #[test]
    fn a_tag_s_end_chooses_and_any_other_tag_behaves() {
        for good in ["7", "7-crashed", "crash", "7-slower", "latest"] {
            assert_eq!(tagged(good, &[]), Ok(Conduct::default()), "{good}");
        }
        for (ending, set) in ENDINGS {
            let mut expected = Conduct::default();
            set(&mut expected);
            assert_ne!(expected, Conduct::default(), "{ending} does nothing");
            assert_eq!(tagged(&format!("7{ending}"), &[]), Ok(expected), "{ending}");
        }
    }

    #[test]
    fn no_ending_hides_another() {
        for (ending, _) in ENDINGS {
            let hidden = ENDINGS.iter().filter(|(other, _)| *other != ending && ending.ends_with(other));
            assert_eq!(hidden.count(), 0, "{ending}");
        }
    }

    #[test]
    fn variables_change_what_the_tag_says() {
        let conduct = tagged("7-crash-later", &[("SANDBOX_CRASH", "3")]).expect("readable");
        assert_eq!(conduct.exit, Some(Exit { code: 3, after: LATER }));
        let conduct = tagged("7", &[("SANDBOX_CRASH_AFTER_SECONDS", "5"), ("SANDBOX_FAIL_SHARE", "0.25")]).expect("readable");
        assert_eq!((conduct.exit, conduct.failing_share), (Some(Exit { code: 1, after: 5.0 }), 0.25));
        assert_eq!(tagged("7-missing", &[("SANDBOX_START", "ok")]), Ok(Conduct::default()));
        assert_eq!(tagged("7-unhealthy", &[("SANDBOX_HEALTH", "ok")]), Ok(Conduct::default()));
        assert_eq!(tagged("7", &[("SANDBOX_START", "no-secret")]).expect("readable").obstacle, Some(Obstacle::NoSecret));
    }

    #[test]
    fn a_value_that_means_nothing_is_told() {
        assert_eq!(
            tagged("7", &[("SANDBOX_CRASH", "x")]),
            Err("SANDBOX_CRASH=x: an exit code from 0 to 255 is expected.".into())
        );
        for (name, value) in [("SANDBOX_FAIL_SHARE", "2"), ("SANDBOX_START_SECONDS", "-1"), ("SANDBOX_START_SECONDS", "inf")] {
            assert!(tagged("7", &[(name, value)]).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn a_version_is_the_image_s_tag() {
        let of = |image: &str| version(&json!({"image": image})).to_owned();
        assert_eq!(of("registry.example:5000/a/shop:7"), "7");
        assert_eq!(of("registry.example:5000/a/shop"), "latest");
        assert_eq!(of("shop:7@sha256:00"), "7");
    }
}
