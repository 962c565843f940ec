//! Metrics: numbers in buckets of one of AWS's seconds.
//!
//! The simulator has two times. What is *waited for* (an alarm's periods) passes in AWS's seconds; what is *dated* (the `StartTime` of a
//! query, the timestamps that it answers) is the wall's. A bucket bears both.

use std::collections::{BTreeMap, VecDeque};

/// Seconds with numbers that a metric keeps; the oldest go first.
const MOST: usize = 50_000;

/// A metric's name and place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// `AWS/ApplicationELB` ...
    pub namespace: String,
    /// `RequestCount` ...
    pub name: String,
    /// Dimensions, sorted by name.
    pub dimensions: BTreeMap<String, String>,
}

impl Metric {
    /// A metric with these dimensions.
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

/// Numbers, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// How many.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Numbers {
    /// One number.
    pub fn one(value: f64) -> Self {
        Self { count: 1.0, sum: value, min: value, max: value }
    }

    /// So many events.
    pub fn events(count: f64) -> Self {
        Self { count, sum: count, min: 1.0, max: 1.0 }
    }

    /// These and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// What one of AWS's five statistics makes of them; none: it is not one of the five.
    pub fn statistic(&self, name: &str) -> Option<f64> {
        Some(match name {
            "SampleCount" => self.count,
            "Average" => self.sum / self.count,
            "Sum" => self.sum,
            "Minimum" => self.min,
            "Maximum" => self.max,
            _ => return None,
        })
    }
}

/// One second's numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// AWS's second, from the start of the simulator; what was dated before that has a negative one.
    pub second: i64,
    /// When that was on the wall, in seconds since 1970.
    pub wall: f64,
    /// The numbers.
    pub numbers: Numbers,
}

/// One metric's buckets, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// The unit they were given in, if any.
    pub unit: Option<String>,
    buckets: VecDeque<Bucket>,
}

impl Series {
    /// Adds numbers at a time: AWS's and the wall's.
    pub fn add(&mut self, now: f64, wall: f64, numbers: Numbers) {
        let second = second(now);
        let at = self.buckets.partition_point(|bucket| bucket.second < second);
        match self.buckets.get_mut(at) {
            Some(bucket) if bucket.second == second => bucket.numbers = bucket.numbers.and(numbers),
            _ => self.buckets.insert(at, Bucket { second, wall, numbers }),
        }
        if self.buckets.len() > MOST {
            self.buckets.pop_front();
        }
    }

    /// All numbers of AWS's seconds from `from` to before `to`.
    pub fn between(&self, from: i64, to: i64) -> Option<Numbers> {
        let start = self.buckets.partition_point(|bucket| bucket.second < from);
        let within = self.buckets.range(start..).take_while(|bucket| bucket.second < to);
        within.map(|bucket| bucket.numbers).reduce(Numbers::and)
    }

    /// Numbers by periods of the wall's seconds, dated with each period's beginning, oldest first.
    pub fn periods(&self, from: f64, to: f64, period: u32) -> Vec<(f64, Numbers)> {
        let mut periods: Vec<(f64, Numbers)> = Vec::new();
        let mut within: Vec<&Bucket> = self.buckets.iter().filter(|bucket| bucket.wall >= from && bucket.wall < to).collect();
        within.sort_by(|a, b| a.wall.total_cmp(&b.wall));
        for bucket in within {
            let begins = (bucket.wall / f64::from(period)).floor() * f64::from(period);
            match periods.last_mut() {
                Some((at, numbers)) if *at >= begins => *numbers = numbers.and(bucket.numbers),
                _ => periods.push((begins, bucket.numbers)),
            }
        }
        periods
    }
}

/// The whole second of a time.
pub fn second(time: f64) -> i64 {
    // A time that does not fit is further away than anything is kept.
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    let second = time.floor() as i64;
    second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_second_are_one_bucket_and_ranges_end_before_their_end() {
        let mut series = Series::default();
        for (now, value) in [(1.2, 1.0), (3.5, 5.0), (1.9, 3.0)] {
            series.add(now, 100.0 + now, Numbers::one(value));
        }
        assert_eq!(series.between(1, 2), Some(Numbers { count: 2.0, sum: 4.0, min: 1.0, max: 3.0 }));
        assert_eq!(series.between(1, 3).map(|numbers| numbers.sum), Some(4.0));
        assert_eq!(series.between(1, 4).map(|numbers| numbers.max), Some(5.0));
        assert_eq!(series.between(4, 9), None);
        let average = series.between(0, 9).and_then(|numbers| numbers.statistic("Average"));
        assert_eq!((average, Numbers::one(1.0).statistic("p99")), (Some(3.0), None));
    }

    #[test]
    fn periods_are_dated_on_the_wall() {
        let mut series = Series::default();
        for (now, wall) in [(0.0, 119.0), (20.0, 120.0), (40.0, 121.0)] {
            series.add(now, wall, Numbers::events(2.0));
        }
        let sums = |from, to| -> Vec<(f64, f64)> {
            series.periods(from, to, 60).into_iter().map(|(at, numbers)| (at, numbers.sum)).collect()
        };
        assert_eq!(sums(0.0, 200.0), [(60.0, 2.0), (120.0, 4.0)]);
        assert_eq!(sums(120.0, 121.0), [(120.0, 2.0)]);
    }

    #[test]
    fn what_is_old_goes() {
        let mut series = Series::default();
        series.add(0.0, 0.0, Numbers::one(1.0));
        for now in 1..=MOST {
            series.add(now as f64, 1.0, Numbers::one(1.0));
        }
        assert_eq!((series.between(0, 1), series.buckets.len()), (None, MOST));
    }
}
