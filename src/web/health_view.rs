//! How a flow does, in a badge and a sentence, the same on every page.

#[cfg(test)]
mod tests;

use crate::domain::health::{Health, Judgement, Lost, NEVER_READ, Usual};
use crate::web::numbers;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// How a flow does at the viewer's present.
#[derive(Debug, Clone)]
pub struct HealthView {
    /// Which of the states.
    pub health: Health,
    /// Shape and colour.
    pub status: Status,
    /// The word of the badge.
    pub word: &'static str,
    /// Why it is said, in one or two sentences with the figures.
    pub reason: String,
    /// Which run it speaks of: not always the last of all.
    pub of_run: &'static str,
    /// Since when, where that is known.
    pub since: Option<TimeView>,
    /// What a good state hides: failed runs whose files did not come.
    pub lost: Option<String>,
}

impl HealthView {
    /// Reads a judgement at `now_ms` (UTC epoch milliseconds), which is [`judged_at`] some moment.
    ///
    /// [`judged_at`]: crate::domain::health::judged_at
    pub fn new(judgement: &Judgement, times: &Times, now_ms: i64) -> Self {
        let health = judgement.health_at(now_ms);
        if health == Health::Waiting && now_ms == NEVER_READ {
            return Self::unread();
        }
        Self {
            health,
            status: status(health),
            word: word(health),
            reason: reason(judgement, health, times, now_ms)
                + longer(judgement, health)
                + &besides(judgement, health, times, now_ms),
            of_run: of_run(judgement.ends_with_old_files),
            since: judgement.since(now_ms).map(|at| times.at(at)),
            lost: (judgement.lost.windows > 0).then(|| lost(&judgement.lost, times)),
        }
    }

    /// The reason, and what the state hides: for a list, where nothing else says it.
    pub fn in_a_list(&self) -> String {
        match &self.lost {
            Some(lost) => format!("{} {lost}.", self.reason),
            None => self.reason.clone(),
        }
    }

    /// The same with what is known of why it does not run: Adobe's state, whether Adobe lists it no longer, and when
    /// it was switched off.
    pub fn of_flow(self, state: &str, is_gone: bool, off_since: Option<TimeView>) -> Self {
        let reason = match state {
            _ if self.health != Health::Off => return self,
            _ if is_gone => "It does not run by itself: Adobe does not list it any more.".to_owned(),
            "disabled" => match off_since {
                Some(at) => format!(
                    "It does not run by itself: it was switched off at {}.",
                    at.short()
                ),
                None => "It does not run by itself: it is switched off.".to_owned(),
            },
            other => format!("It does not run by itself: Adobe calls its state \u{201c}{other}\u{201d}."),
        };
        Self { reason, ..self }
    }

    /// Of a flow whose runs nobody has seen, so that none can be said not to be there.
    fn unread() -> Self {
        Self {
            health: Health::Waiting,
            status: Status::Unknown,
            word: "Not read yet",
            reason: "Its runs were not read from Adobe yet.".to_owned(),
            of_run: "",
            since: None,
            lost: None,
        }
    }
}

/// Of which run is spoken, where the last one of all may have read older files only.
pub const fn of_run(ends_with_old_files: bool) -> &'static str {
    if ends_with_old_files {
        "The schedule's last run"
    } else {
        "The last run"
    }
}

/// Shape and colour of a state.
pub const fn status(health: Health) -> Status {
    match health {
        Health::Failed => Status::Failed,
        Health::Stuck | Health::Late => Status::Late,
        Health::Empty | Health::Odd | Health::Partial => Status::Partial,
        Health::Unknown => Status::Unknown,
        Health::Running => Status::Running,
        Health::Waiting | Health::Off => Status::Waiting,
        Health::Well => Status::Succeeded,
    }
}

/// The word of a state.
pub const fn word(health: Health) -> &'static str {
    match health {
        Health::Failed => "Failed",
        Health::Stuck => "Stuck",
        Health::Late => "Late",
        Health::Empty => "Empty",
        Health::Odd => "Odd volume",
        Health::Partial => "Partial",
        Health::Unknown => "Unknown",
        Health::Running => "Running",
        Health::Waiting => "Waiting",
        Health::Well => "Healthy",
        Health::Off => "Off",
    }
}

fn reason(judged: &Judgement, health: Health, times: &Times, now_ms: i64) -> String {
    let at = |moment: Option<i64>| moment.map(|at| times.at(at).short().to_string());
    match health {
        Health::Failed if judged.in_a_row > 1 => {
            let (which, brought) = (the_last(judged), none_brought(judged));
            format!("{which} {} runs failed.{brought}", judged.in_a_row)
        }
        Health::Failed => format!("The last run failed.{}", none_brought(judged)),
        Health::Stuck => stuck(judged, now_ms),
        Health::Late => {
            let expected = at(judged.expected_at).unwrap_or_default();
            let latest = at(judged.late_at).unwrap_or_default();
            format!(
                "A run was expected at {expected}. It should have been seen by {latest}, and none has come."
            )
        }
        Health::Empty if judged.never_brought_any => {
            "The last run succeeded with no records. No run of those looked at has brought any.".to_owned()
        }
        Health::Empty => format!(
            "The last run succeeded with no records.{}{}",
            usually(judged.usual_records),
            none_brought(judged)
        ),
        Health::Odd => format!(
            "The last run brought {} records.{}",
            numbers::count(judged.last_records.unwrap_or(0)),
            usually(judged.usual_records) + &odd_beyond(judged.usual_records)
        ),
        Health::Partial if judged.in_a_row > 1 => {
            format!("The last {} runs lost some records.", judged.in_a_row)
        }
        Health::Partial => "The last run lost some records.".to_owned(),
        Health::Unknown => "Adobe gives the last run a status that no document names.".to_owned(),
        Health::Running => "A run is going on.".to_owned(),
        Health::Waiting => {
            let (none, which) = match at(judged.known_since_at) {
                None => ("There was no run yet".to_owned(), "first"),
                Some(since) => (format!("No run was seen since {since}"), "next"),
            };
            at(judged.expected_at).map_or_else(
                || format!("{none}."),
                |expected| {
                    format!(
                        "{none}. The {which} is expected at {expected}; Adobe shows a run two to three minutes \
                         after it began."
                    )
                },
            )
        }
        Health::Well => "The last run brought what it should.".to_owned(),
        Health::Off => "It does not run by itself: it is switched off, or no longer at Adobe.".to_owned(),
    }
}

/// Which runs are counted: those for older files are not.
fn the_last(judged: &Judgement) -> &'static str {
    let mut others = judged.of_old_files_at.iter();
    if others.any(|at| Some(*at) > judged.base_since_at) {
        "The schedule's last"
    } else {
        "The last"
    }
}

/// Of a row of runs that brought nothing, if that is longer than what is said of the last ones anyway.
fn none_brought(judged: &Judgement) -> String {
    let told = if judged.base == Health::Failed {
        judged.in_a_row
    } else {
        1
    };
    match judged.without_data {
        row if row > told => {
            format!(
                " None of {} {row} runs brought records.",
                the_last(judged).to_lowercase()
            )
        }
        _ => String::new(),
    }
}

/// What is said where it began before the first run that was looked at.
fn longer(judged: &Judgement, health: Health) -> &'static str {
    if judged.perhaps_longer && health == judged.base {
        " All runs that were looked at say so, and those before them may, too."
    } else {
        ""
    }
}

/// What one word hides: a worse state a lesser one, a good one what was before it.
fn besides(judged: &Judgement, health: Health, times: &Times, now_ms: i64) -> String {
    let at = |moment: Option<i64>| moment.map(|at| times.at(at).short().to_string());
    let mut said = String::new();
    if matches!(health, Health::Late | Health::Stuck) && health != judged.base {
        said.push_str(match judged.base {
            Health::Empty => " The last run that ended brought no records.",
            Health::Odd => " The last run that ended brought an unusual number of records.",
            Health::Partial => " The last run that ended lost some records.",
            _ => "",
        });
    }
    if health == Health::Failed
        && judged.is_late_at(now_ms)
        && let Some(expected) = at(judged.expected_at)
    {
        said.push_str(&format!(
            " Another was expected at {expected}, and none has come."
        ));
    }
    if judged.ends_with_old_files && !matches!(health, Health::Off | Health::Waiting) {
        said.push_str(" That is said of the schedule's runs; a later one is for older files once more.");
    }
    if judged.base.is_without_data()
        && let Some(last) = at(judged.brought_last_at)
    {
        // A run of older files brings records, too, and says nothing of whether new ones come.
        let apart = judged
            .of_old_files_at
            .iter()
            .any(|at| Some(*at) > judged.brought_last_at);
        let what = if apart { "Records of new files" } else { "Records" };
        said.push_str(&format!(" {what} came last with the run of {last}."));
    }
    said
}

/// How many runs failed and left files behind.
pub fn lost(lost: &Lost, times: &Times) -> String {
    let since = lost.since_at.map(|at| times.at(at).short().to_string());
    let since = since.map_or_else(String::new, |since| format!(" since {since}"));
    match lost.windows {
        1 => format!("One run{since} failed, and no later run has brought its files"),
        many => format!(
            "{} runs{since} failed, and no later run has brought their files",
            numbers::count(i64::try_from(many).unwrap_or(i64::MAX))
        ),
    }
}

fn stuck(judged: &Judgement, now_ms: i64) -> String {
    let since = judged.running_since_at.unwrap_or(now_ms);
    let lasts = numbers::duration(now_ms.saturating_sub(since));
    match judged.usual_duration_ms {
        Some(usual) => format!(
            "A run has been going on for {lasts}. Usual are {} to {} ({} runs).",
            numbers::duration(usual.low),
            numbers::duration(usual.high),
            usual.runs
        ),
        None => {
            format!("A run has been going on for {lasts}; there is not enough history to say what is usual.")
        }
    }
}

fn usually(usual: Option<Usual>) -> String {
    usual.map_or_else(
        || " There is not enough history to say what is usual.".to_owned(),
        |usual| {
            format!(
                " Usual are {} to {} ({} runs).",
                numbers::count(usual.low),
                numbers::count(usual.high),
                usual.runs
            )
        },
    )
}

fn odd_beyond(usual: Option<Usual>) -> String {
    let Some((least, most)) = usual.map(|usual| usual.odd_beyond()) else {
        return String::new();
    };
    let most = numbers::count(most);
    if least > 0 {
        format!(" Odd is what is below {} or above {most}.", numbers::count(least))
    } else {
        format!(" Odd is what is above {most}.")
    }
}
