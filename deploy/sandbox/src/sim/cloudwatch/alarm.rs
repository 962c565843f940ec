//! An alarm, and how it comes to its state.

use std::collections::BTreeMap;

use super::series::{Metric, Series, second};

/// Where an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// The metric is within its threshold.
    Ok,
    /// It is not.
    Alarm,
    /// There are too few numbers to tell.
    InsufficientData,
}

impl AlarmState {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// What AWS writes so.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|state| state.as_str() == text)
    }
}

/// What an alarm makes of a period without numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing (`missing`).
    Unknown,
    /// It leaves the state as it is (`ignore`).
    Ignore,
    /// It is beyond the threshold (`breaching`).
    Breaching,
    /// It is within the threshold (`notBreaching`).
    NotBreaching,
}

impl Missing {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }

    /// What AWS writes so.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Unknown, Self::Ignore, Self::Breaching, Self::NotBreaching].into_iter().find(|missing| missing.as_str() == text)
    }
}

/// How a number is held against the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `GreaterThanThreshold`.
    Greater,
    /// `GreaterThanOrEqualToThreshold`.
    GreaterOrEqual,
    /// `LessThanThreshold`.
    Less,
    /// `LessThanOrEqualToThreshold`.
    LessOrEqual,
}

impl Comparison {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greater => "GreaterThanThreshold",
            Self::GreaterOrEqual => "GreaterThanOrEqualToThreshold",
            Self::Less => "LessThanThreshold",
            Self::LessOrEqual => "LessThanOrEqualToThreshold",
        }
    }

    /// What AWS writes so.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Greater, Self::GreaterOrEqual, Self::Less, Self::LessOrEqual].into_iter().find(|known| known.as_str() == text)
    }

    fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// A metric alarm.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// What it watches.
    pub metric: Metric,
    /// One of the five statistics.
    pub statistic: String,
    /// Seconds of a period.
    pub period: u32,
    /// Periods that are looked at.
    pub periods: u32,
    /// How many of them must be beyond the threshold.
    pub needed: u32,
    /// The threshold.
    pub threshold: f64,
    /// How numbers are held against it.
    pub comparison: Comparison,
    /// What periods without numbers mean.
    pub missing: Missing,
    /// Its description.
    pub description: Option<String>,
    /// The unit that was asked for.
    pub unit: Option<String>,
    /// Whether its actions are carried out.
    pub actions_enabled: bool,
    /// ARNs by the state that they are for.
    pub actions: BTreeMap<&'static str, Vec<String>>,
    /// Whether `DatapointsToAlarm` was given.
    pub needed_given: bool,
    /// Where it stands.
    pub state: AlarmState,
    /// Why.
    pub reason: String,
    /// Since when, in seconds since 1970.
    pub since: f64,
    /// When it was last changed by its owner, in seconds since 1970.
    pub updated: f64,
}

impl Alarm {
    /// Looks at its metric at `now` (AWS's seconds); `wall` is seconds since 1970.
    pub fn evaluate(&mut self, series: Option<&Series>, now: f64, wall: f64) {
        let values = self.values(series, now);
        let next = self.judge(&values);
        if next != self.state {
            self.reason = self.explain(next, &values);
            self.since = wall;
            self.state = next;
        }
    }

    /// The newest number that it knows.
    pub fn latest(&self, series: Option<&Series>, now: f64) -> Option<f64> {
        self.values(series, now).into_iter().flatten().next_back()
    }

    /// The statistic of each whole period before `now`, oldest first.
    fn values(&self, series: Option<&Series>, now: f64) -> Vec<Option<f64>> {
        let period = i64::from(self.period.max(1));
        let end = second(now).div_euclid(period);
        let windows = (1..=i64::from(self.periods)).rev().map(|back| {
            let window = end - back;
            series?.between(window * period, (window + 1) * period)?.statistic(&self.statistic)
        });
        windows.collect()
    }

    fn judge(&self, values: &[Option<f64>]) -> AlarmState {
        let needed = usize::try_from(self.needed).unwrap_or(usize::MAX);
        let beyond = |value: &Option<f64>| match value {
            Some(value) => self.comparison.breaches(*value, self.threshold),
            None => self.missing == Missing::Breaching,
        };
        let breaching = values.iter().filter(|value| beyond(value)).count();
        if breaching >= needed {
            return AlarmState::Alarm;
        }
        let gaps = values.iter().filter(|value| value.is_none()).count();
        match self.missing {
            Missing::Breaching | Missing::NotBreaching => AlarmState::Ok,
            Missing::Unknown if gaps == values.len() => AlarmState::InsufficientData,
            Missing::Ignore if gaps == values.len() => self.state,
            // The gaps could have made it an alarm: it goes on as it was.
            _ if breaching + gaps >= needed && self.state == AlarmState::Alarm => AlarmState::Alarm,
            _ => AlarmState::Ok,
        }
    }

    fn explain(&self, next: AlarmState, values: &[Option<f64>]) -> String {
        let known: Vec<String> = values.iter().flatten().map(f64::to_string).collect();
        if known.is_empty() {
            return match next {
                AlarmState::InsufficientData => {
                    format!("Insufficient Data: {} datapoints were unknown.", values.len())
                }
                _ => format!(
                    "Threshold Crossed: no datapoints were received for {} periods and {} missing datapoints were treated as [{}].",
                    values.len(),
                    values.len(),
                    self.missing.as_str()
                ),
            };
        }
        let count = known.len();
        let were = if next == AlarmState::Alarm { "were" } else { "were not all" };
        let relation = match self.comparison {
            Comparison::Greater => "greater than",
            Comparison::GreaterOrEqual => "greater than or equal to",
            Comparison::Less => "less than",
            Comparison::LessOrEqual => "less than or equal to",
        };
        format!(
            "Threshold Crossed: {count} datapoints [{}] {were} {relation} the threshold ({}).",
            known.join(", "),
            self.threshold
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::cloudwatch::series::Numbers;

    fn alarm(missing: Missing, needed: u32) -> Alarm {
        Alarm {
            name: "a".to_owned(),
            metric: Metric::new("n", "m", &[]),
            statistic: "Sum".to_owned(),
            period: 60,
            periods: 3,
            needed,
            threshold: 10.0,
            comparison: Comparison::Greater,
            missing,
            description: None,
            unit: None,
            actions_enabled: true,
            actions: BTreeMap::new(),
            needed_given: false,
            state: AlarmState::InsufficientData,
            reason: String::new(),
            since: 0.0,
            updated: 0.0,
        }
    }

    #[test]
    fn only_whole_periods_count_and_as_many_as_are_needed() {
        let mut series = Series::default();
        for (second, value) in [(10.0, 11.0), (70.0, 5.0), (130.0, 11.0), (190.0, 99.0)] {
            series.add(second, 1_000.0 + second, Numbers::one(value));
        }
        let state = |needed: u32, now: f64| {
            let mut alarm = alarm(Missing::Unknown, needed);
            alarm.evaluate(Some(&series), now, 1.0);
            alarm.state
        };
        assert_eq!(state(2, 200.0), AlarmState::Alarm);
        assert_eq!(state(3, 200.0), AlarmState::Ok);
        assert_eq!(state(1, 50.0), AlarmState::InsufficientData);
        assert_eq!(state(1, 60.0), AlarmState::Alarm);
        assert_eq!(state(2, 240.0), AlarmState::Alarm);
    }

    #[test]
    fn gaps_mean_what_the_alarm_says() {
        let state = |missing: Missing, before: AlarmState, values: &[Option<f64>], needed: u32| {
            let alarm = Alarm { state: before, ..alarm(missing, needed) };
            alarm.judge(values)
        };
        use AlarmState::{Alarm as Red, InsufficientData as Grey, Ok as Green};
        let none = [None, None, None];
        assert_eq!(state(Missing::Unknown, Green, &none, 1), Grey);
        assert_eq!(state(Missing::Ignore, Red, &none, 1), Red);
        assert_eq!(state(Missing::Breaching, Green, &none, 3), Red);
        assert_eq!(state(Missing::NotBreaching, Red, &none, 1), Green);
        let gap = [Some(11.0), None, Some(11.0)];
        assert_eq!(state(Missing::Unknown, Red, &gap, 3), Red);
        assert_eq!(state(Missing::Unknown, Green, &gap, 3), Green);
        assert_eq!(state(Missing::Unknown, Green, &gap, 2), Red);
        assert_eq!(state(Missing::NotBreaching, Red, &gap, 3), Green);
    }

    #[test]
    fn a_change_is_dated_and_explained() {
        let mut series = Series::default();
        series.add(10.0, 0.0, Numbers::one(11.0));
        let mut alarm = alarm(Missing::Unknown, 1);
        alarm.evaluate(Some(&series), 60.0, 7.0);
        assert_eq!(alarm.since, 7.0);
        assert_eq!(alarm.reason, "Threshold Crossed: 1 datapoints [11] were greater than the threshold (10).");
        alarm.evaluate(Some(&series), 100.0, 8.0);
        assert_eq!(alarm.since, 7.0);
        alarm.evaluate(None, 300.0, 9.0);
        assert_eq!((alarm.since, alarm.reason.as_str()), (9.0, "Insufficient Data: 3 datapoints were unknown."));
    }
}
