//! `cloudWatchAlarms`.

use crate::{
    manifest::{
        fields::Element,
        template::{Template, Written, Wrong},
        written::{Duration, Words},
    },
    step::InsufficientData,
};

/// The longest name of an alarm, in characters.
const LONGEST_NAME: usize = 255;

/// *CloudWatch Alarms* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmsDocument {
    /// Names of the alarms.
    pub alarms: Vec<Template<AlarmName>>,
    /// For how long none may go off. None: a minute.
    pub hold: Option<Template<Duration>>,
    /// Pause between two looks. None: 15 s.
    pub interval: Option<Template<Duration>>,
    /// What an alarm without enough data counts as. None: as one that is well.
    pub insufficient_data: Option<Template<DataChoice>>,
}

/// The name of an alarm.
pub enum AlarmName {}

impl Written for AlarmName {
    type Value = String;

    fn read(text: &str) -> Result<String, Wrong> {
        let name = Words::read(text)?;
        if name.starts_with("arn:") {
            return Err(Wrong::new("an alarm is named by its name, not by its ARN").hint("the part after :alarm:"));
        }
        let count = name.chars().count();
        if count > LONGEST_NAME {
            return Err(Wrong::new(format!("an alarm's name has at most {LONGEST_NAME} characters, this has {count}")));
        }
        Ok(name)
    }
}

/// `good` or `fail`.
pub enum DataChoice {}

impl Written for DataChoice {
    type Value = InsufficientData;

    fn read(text: &str) -> Result<InsufficientData, Wrong> {
        let known = InsufficientData::ALL.map(InsufficientData::as_str);
        InsufficientData::ALL
            .into_iter()
            .find(|choice| choice.as_str() == text.trim())
            .ok_or_else(|| Wrong::none_of(text, "what an alarm without data counts as", &known))
    }
}

impl AlarmsDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["alarms", "for", "interval", "insufficientData"])?;
        let alarms = fields.required("alarms").and_then(|list| names(&list));
        let hold = fields.optional_template("for");
        let interval = fields.optional_template("interval");
        let insufficient_data = fields.optional_template("insufficientData");
        Some(Self { alarms: alarms?, hold, interval, insufficient_data })
    }
}

/// `alarms`: at least one. None: there is none, and that is noted.
pub(super) fn names(list: &Element<'_>) -> Option<Vec<Template<AlarmName>>> {
    let names = list.templates();
    if list.is_list() && list.list().is_some_and(|list| list.is_empty()) {
        list.wrong(Wrong::new("\"alarms\" is an empty list").hint("name at least one alarm"));
        return None;
    }
    Some(names)
}
